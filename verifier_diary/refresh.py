"""Diagnose everything again: a newer version knows more messages than the one that filed them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from verifier_diary.attempts import Prepared, attempt, prepare, update
from verifier_diary.filing import derive
from verifier_diary.store import Store

BATCH = 100  # attempts in one transaction


def refresh(store: Store) -> Iterator[tuple[int, int]]:
    """File every rejection anew, batch by batch; yields how many were done and how many moved."""
    rows = store.rows("SELECT id, file, entry FROM attempts WHERE entry IS NOT NULL ORDER BY id")
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        moved = [
            (prepared, row["entry"])
            for row in batch
            if (found := attempt(store, row["id"]))
            and (prepared := prepare(found, file=row["file"])).finding
        ]
        with store.writing():
            changed = _move(store, moved)
        yield len(batch), changed


def _move(store: Store, moved: list[tuple[Prepared, str]]) -> int:
    for prepared, _ in moved:
        update(store, prepared)
    anew = {str(prepared.row["entry"]): prepared for prepared, _ in moved}
    for entry, prepared in anew.items():
        store.write("DELETE FROM searched WHERE entry = ?", (entry,))
        if prepared.searched:
            store.insert("searched", {"entry": entry, **asdict(prepared.searched)})
    for entry in anew | dict.fromkeys(before for _, before in moved):
        derive(store, entry)
    return sum(prepared.row["entry"] != before for prepared, before in moved)
