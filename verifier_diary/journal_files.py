"""Which journals a diary is made from, and what of them it has not read yet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from verifier_diary import journal
from verifier_diary.model import SCHEMA, sha256_of
from verifier_diary.ownership import state_directory
from verifier_diary.store import Store

MARK = 16 * 1024  # bytes before a position; they tell whether it is still the file that was read


@dataclass(frozen=True, slots=True)
class Waiting:
    """A journal file with lines that are not in the diary."""

    path: Path
    start: int
    size: int


def journals() -> list[Path]:
    """Return the journals that this person's diary is made from, whether they exist or not."""
    here, of_person = journal.directory(), state_directory() / "journal"
    if os.environ.get("GLIMPSE_JOURNAL"):
        return [here]
    return list(dict.fromkeys((here, of_person)))


def waiting(store: Store, folders: list[Path] | None = None) -> list[Waiting]:
    """Return the files that have something new; costs a `stat` and a short read for each."""
    known = {row["path"]: row for row in store.rows("SELECT * FROM journal_files")}
    found = []
    for folder in journals() if folders is None else folders:
        for path in sorted(folder.glob("*.jsonl")):
            size, row = path.stat().st_size, known.get(str(path.resolve()))
            start = row["position"] if row else 0
            if row and (row["schema"] != SCHEMA or row["mark"] != _mark(path, start)):
                start = 0  # rewritten, or with lines that an older version could not read
            if size > start:
                found.append(Waiting(path, start, size))
    return found


def remember(store: Store, path: Path, position: int) -> None:
    """Note, within `writing`, how far a file was read."""
    record = {"path": str(path.resolve()), "position": position, "mark": _mark(path, position)}
    store.insert("journal_files", record | {"schema": SCHEMA}, otherwise="REPLACE")


# git replaces a file that it changes: then it has another inode. An editor may not.
def _mark(path: Path, position: int) -> str:
    with path.open("rb") as stream:
        start = max(0, position - MARK)
        stream.seek(start)
        inode = os.fstat(stream.fileno()).st_ino
        return f"{inode} {sha256_of(stream.read(position - start))}"
