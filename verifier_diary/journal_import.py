"""Bring into the diary what the journals have and it has not: only new lines are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from verifier_diary import journal
from verifier_diary.attempts import Prepared, is_known, prepare, repeated
from verifier_diary.filing import Late, file_all
from verifier_diary.journal_files import Waiting, remember
from verifier_diary.model import SCHEMA, Attempt
from verifier_diary.store import Store

BATCH = 200  # lines in one transaction

Complain = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Line:
    end: int  # position behind it
    number: int
    text: bytes


def import_file(store: Store, file: Waiting, complain: Complain) -> Iterator[int]:
    """File what is new in a journal file; yields how many bytes were read, batch by batch.

    Lines that cannot be read are complained about, once, and passed over.
    """
    position = file.start
    with file.path.open("rb") as stream:
        lines = _lines(stream, file.start)
        while batch := list(islice(lines, BATCH)):
            items = [item for line in batch if (item := _item(store, line, file.path, complain))]
            start, position = position, batch[-1].end
            with store.writing():
                file_all(store, items)
                remember(store, file.path, position)
            yield position - start


# A last line without its end is still being written, or torn: the next writer ends it.
def _lines(stream: BinaryIO, start: int) -> Iterator[_Line]:
    number = sum(block.count(b"\n") for block in _blocks(stream, start))
    position = start
    for text in stream:
        if not text.endswith(b"\n"):
            return
        number += 1
        position += len(text)
        yield _Line(position, number, text)


# Leaves the stream at `end`.
def _blocks(stream: BinaryIO, end: int) -> Iterator[bytes]:
    while left := end - stream.tell():
        block = stream.read(min(left, 1 << 20))
        if not block:
            return
        yield block


# A file that is read again has mostly what is known: that is not diagnosed twice.
def _item(store: Store, line: _Line, path: Path, complain: Complain) -> Prepared | Late | None:
    if not line.text.strip():
        return None
    try:
        record = json.loads(line.text)
        if record["schema"] > SCHEMA:
            raise ValueError(f"schema {record['schema']} is newer than this program's {SCHEMA}")
        if is_known(store, record["id"]):
            return None
        if "repeat" in record:
            own = Attempt.from_json({**record, "program": {"function": ""}, "accepted": False})
            return partial(_repeat, record["repeat"], own, record.get("usec"))
        return prepare(journal.attempt_of(record, {}, path.parent))
    except (ValueError, KeyError, TypeError) as error:
        complain(f"{path}:{line.number}: unreadable attempt: {error}")
        return None


def _repeat(first: str, own: Attempt, usec: int | None, store: Store) -> Prepared | None:
    prepared = repeated(store, first, own)
    if prepared:
        prepared.row["usec"] = usec
    return prepared
