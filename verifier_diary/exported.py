"""Read the exported entries back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier_diary.export import SCHEMA
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
    def kernels(self) -> list[str]:
        """Return the releases of the kernels that refused it."""
        return self.record["kernels"] or ["unknown"]

    @property
    def place(self) -> str:
        """Return `file:line`, or ''."""
        file, line = self.record["source_file"], self.record["source_line_number"]
        return f"{file}:{line}" if file and line else file or ""


def read(folder: Path) -> list[Exported]:
    """Return the entries of a folder, oldest first; raises BadLog for one that is damaged."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise BadLog(f"no exported entries are in {folder}", try_="lab diary export")
    found = [_read(path) for path in paths]
    return sorted(found, key=lambda entry: (entry.record["first_seen"], entry.id))


def _read(path: Path) -> Exported:
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["schema"] > SCHEMA:
            raise ValueError(f"schema {record['schema']} is newer than this program's {SCHEMA}")
        entry = Exported(record)
        _ = entry.id, entry.class_id, entry.program, entry.kernels, entry.place
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadLog(
            f"{path} is no exported entry: {error}", try_="lab diary export writes it anew"
        ) from error
    return entry
