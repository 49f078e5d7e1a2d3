"""Read the exported entries back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier_diary.export import PROGRAMS, SCHEMA
from verifier_diary.store_errors import BadLog


@dataclass(frozen=True)
class Exported:
    """One exported entry; `record` is as `export.record` wrote it."""

    record: dict[str, Any]

    @property
    def id(self) -> str:
        """Return the entry's id."""
        return str(self.record["id"])

    @property
    def class_id(self) -> str:
        """Return the class of error."""
        return str(self.record["class"])

    @property
    def program(self) -> str:
        """Return the program's name, or its object's."""
        return self.record["program"] or self.record["object"] or "unknown"

    @property
    def message(self) -> str:
        """Return what was said, or ''."""
        return self.record["message"] or ""

    @property
    def expected(self) -> bool:
        """Say whether a lesson wants the rejection."""
        return bool(self.record["expected"])

    @property
    def cure(self) -> dict[str, Any] | None:
        """Return how it was cured, or None."""
        cure: dict[str, Any] | None = self.record["cure"]
        return cure

    @property
    def state(self) -> str:
        """Return `cured` or `open`, or that it is a lesson."""
        if self.expected:
            return "lesson"
        return "cured" if self.cure else "open"

    @property
    def kernels(self) -> list[str]:
        """Return the releases of the kernels that refused it."""
        return self.record["kernels"] or ["unknown"]

    @property
    def place(self) -> str:
        """Return `file:line`, or ''."""
        file, line = self.record["source_file"], self.record["source_line_number"]
        return f"{file}:{line}" if file and line else file or ""


@dataclass(frozen=True, slots=True)
class ProgramSize:
    """What one of the project's own programs costs the verifier from some time on."""

    program: str  # object:function
    time: str
    revision: str | None
    kernel: str | None
    instructions: int  # processed
    limit: int | None
    states: int | None


@dataclass(frozen=True)
class Export:
    """All that was exported."""

    entries: list[Exported]  # oldest first
    programs: list[ProgramSize]  # by program, oldest first

    @property
    def met(self) -> list[Exported]:
        """Return the entries that nobody wanted."""
        return [entry for entry in self.entries if not entry.expected]

    @property
    def lessons(self) -> list[Exported]:
        """Return the entries of lessons, by class."""
        wanted = [entry for entry in self.entries if entry.expected]
        return sorted(wanted, key=lambda entry: (entry.class_id, entry.kernels))


def read(folder: Path) -> Export:
    """Read an exported folder; raises BadLog for a file that is damaged."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise BadLog(f"no exported entries are in {folder}", try_="lab diary export")
    entries = sorted(map(_read, paths), key=lambda e: (e.record["first_seen"], e.id))
    return Export(entries, _programs(folder / PROGRAMS))


def _read(path: Path) -> Exported:
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["schema"] != SCHEMA:
            raise ValueError(f"it has schema {record['schema']}, this program writes {SCHEMA}")
        entry = Exported(record)
        _ = entry.id, entry.class_id, entry.program, entry.kernels, entry.place, entry.state
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error
    return entry


def _programs(path: Path) -> list[ProgramSize]:
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [ProgramSize(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> BadLog:
    return BadLog(f"{path} is no exported entry: {error}", try_="lab diary export writes it anew")
