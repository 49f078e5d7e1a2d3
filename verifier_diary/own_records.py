"""Rejections that their loader wrote into the journal itself: not to be written a second time."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier_diary.model import Attempt

KEPT = 4096  # records that no load was seen for, as of processes that are not watched
_ID = re.compile(rb'^\{"schema":\d+,(?:"repeat":"\w+",)?"id":"(\w+)"')


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What tells one load from another."""

    pid: int | None
    function: str
    instructions_sha256: str | None
    accepted: bool


class OwnRecords:
    """Follows a journal from now on, and remembers what others than the recorder write."""

    def __init__(self, folder: Path) -> None:
        """Begin at the end of what is there."""
        self._folder = folder
        self._positions = {path: path.stat().st_size for path in folder.glob("*.jsonl")}
        self._ours: set[str] = set()
        self._by_id: dict[str, OwnRecord] = {}
        self._unclaimed: deque[OwnRecord] = deque(maxlen=KEPT)

    def ours(self, attempt: Attempt) -> None:
        """Know an attempt as the recorder's own, before it is written."""
        self._ours.add(attempt.id)

    def note(self, record: OwnRecord) -> None:
        """Know of a load whose loader writes to another journal."""
        if not record.accepted:
            self._unclaimed.append(record)

    def claim(self, attempt: Attempt) -> bool:
        """Say whether the loader wrote this one itself; each record answers for one load."""
        self._follow()
        for record in self._unclaimed:
            if _same(record, attempt):
                self._unclaimed.remove(record)
                return True
        return False

    def _follow(self) -> None:
        for path in self._folder.glob("*.jsonl"):
            position = self._positions.get(path, 0)
            if path.stat().st_size == position:
                continue
            with path.open("rb") as file:
                file.seek(position)
                lines = file.read()
            end = lines.rfind(b"\n") + 1
            self._positions[path] = position + end
            for line in lines[:end].splitlines():
                self._read(path, line)

    def _read(self, path: Path, line: bytes) -> None:
        head = _ID.match(line)
        if not head or head[1].decode() in self._ours:
            return
        try:
            record = self._parsed(path, json.loads(line))
        except (ValueError, KeyError, TypeError):
            return  # the journal's readers complain about it
        if record:
            self._by_id[head[1].decode()] = record
            self.note(record)

    def _parsed(self, path: Path, line: dict[str, Any]) -> OwnRecord | None:
        pid = line["origin"]["pid"]
        if "repeat" in line:
            first = self._by_id.get(line["repeat"]) or _find(path, line["repeat"])
            return first and OwnRecord(
                pid, first.function, first.instructions_sha256, first.accepted
            )
        return _of_line(line)


def _of_line(line: dict[str, Any]) -> OwnRecord:
    return OwnRecord(
        line["origin"]["pid"],
        line["program"]["function"],
        line["instructions_sha256"],
        line["accepted"],
    )


# A repeat's first is in the same file, perhaps from before this process began.
def _find(path: Path, attempt_id: str) -> OwnRecord | None:
    head = f'"id":"{attempt_id}"'.encode()
    with path.open("rb") as file:
        for line in file:
            if line.startswith(b'{"schema"') and head in line[:64] and b'"repeat"' not in line[:64]:
                return _of_line(json.loads(line))
    return None


def _same(record: OwnRecord, attempt: Attempt) -> bool:
    if record.pid != attempt.origin.pid:
        return False
    codes = record.instructions_sha256, attempt.instructions_sha256
    if None not in codes:
        return codes[0] == codes[1]
    name = attempt.program.function  # as the kernel has it: shortened
    return name != "" and name in record.function
