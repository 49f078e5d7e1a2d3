"""Finished work of a run, one JSON line each: what a run that was interrupted need not do again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab.errors import BadInput
from lab.folder import make_folder

FILE = "rows.jsonl"
Row = dict[str, Any]


class Finished:
    """The rows in a directory; appended to as they come, so a crash loses at most one."""

    def __init__(self, folder: Path, code: str) -> None:
        """Read what is there; rows that other code measured (`code` differs) are not taken."""
        self._path, self._code = folder / FILE, code
        self.rows: dict[str, Row] = {}
        make_folder(folder)
        if self._path.exists():
            self._read()

    def __contains__(self, task_id: str) -> bool:
        """Say whether a task is done."""
        return task_id in self.rows

    def add(self, row: Row) -> None:
        """Keep a row."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"code": self._code, **row}, allow_nan=False) + "\n")
        self.rows[row["id"]] = row

    def select(self, task_ids: Iterable[str]) -> list[Row]:
        """Return the rows of these tasks, in their order."""
        return [self.rows[task_id] for task_id in task_ids if task_id in self.rows]

    def _read(self) -> None:
        lines = self._path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                code, task_id = row.pop("code"), row["id"]
            except (ValueError, KeyError, TypeError, AttributeError):
                if number == len(lines):
                    self._path.write_text("".join(f"{kept}\n" for kept in lines[:-1]), "utf-8")
                    return  # cut by a crash: that task is done again
                raise BadInput(
                    f"{self._path}:{number} is no row of an evaluation",
                    try_="name another directory with --out, or remove that file",
                ) from None
            if code == self._code:
                self.rows[task_id] = row
