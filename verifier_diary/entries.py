"""Entries: the same rejection, however often it was seen, and whether it was cured."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from verifier_diary.store import Store, Value
from verifier_diary.store_errors import NoSuchEntry

LATEST = "last"  # what `show` takes for an id


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the diary; what does not apply is None. Its place is that of the last sighting."""

    id: str
    class_id: str
    layer: str
    program: str | None
    object: str | None
    section: str | None
    type: str | None
    kernel: str | None
    message: str
    instruction: int | None
    source_line: str | None  # the C text
    source_file: str | None
    source_line_number: int | None
    truncated: str | None  # "start" or "end": the part of the log that is missing
    expected: bool  # every sighting was wanted, by a test or a lesson
    sightings: int
    first_seen: str
    last_seen: str
    last_attempt: str
    cured_by: str | None  # an attempt
    cured_time: str | None
    tries: int | None  # rejections of the program until the cure

    @property
    def place(self) -> str | None:
        """Return `file:line` of the C line."""
        if self.source_file is None or self.source_line_number is None:
            return self.source_file
        return f"{self.source_file}:{self.source_line_number}"

    def record(self) -> dict[str, Any]:
        """Return it as the commands print it for programs."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["message"] = self.message or None
        return {"id": values.pop("id"), "class": values.pop("class_id"), **values}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; None lets everything pass. Words match anywhere, case apart."""

    class_id: str | None = None
    kernel: str | None = None
    program: str | None = None
    layer: str | None = None
    cured: bool | None = None
    expected: bool | None = False  # hidden unless asked for


@dataclass(frozen=True, slots=True)
class Sighting:
    """One time that an entry was met."""

    attempt: str
    time: str
    kernel: str | None
    command: str | None
    comm: str | None
    pid: int | None
    test: str | None
    file: str | None  # the pasted log's
    revision: str | None
    dirty: bool | None
    expected: bool


def entries(store: Store, wanted: Filter | None = None, limit: int | None = None) -> list[Entry]:
    """Return the entries that a filter lets pass, newest first."""
    where, parameters = condition(wanted or Filter())
    sql = f"{SELECT} WHERE {where} ORDER BY e.last_seen DESC, e.id LIMIT ?"
    most = -1 if limit is None else limit
    return [entry_of(row) for row in store.rows(sql, (*parameters, most))]


def count(store: Store, wanted: Filter) -> int:
    """Return how many entries a filter lets pass."""
    where, parameters = condition(wanted)
    row = store.row(f"SELECT count(*) FROM entries e WHERE {where}", parameters)
    return int(row[0]) if row else 0


def by_ids(store: Store, ids: Sequence[str]) -> list[Entry]:
    """Return entries by their whole ids, in that order."""
    marks = ", ".join("?" * len(ids))
    rows = store.rows(f"{SELECT} WHERE e.id IN ({marks})", tuple(ids))
    found = {entry.id: entry for entry in map(entry_of, rows)}
    return [found[entry_id] for entry_id in ids if entry_id in found]


def entry(store: Store, wanted: str, *, expected: bool | None = None) -> Entry:
    """Return an entry by its id, the start of one, an attempt's id, or `last`.

    `expected` chooses among what `last` may be, as in a `Filter`.
    """
    if wanted == LATEST:
        newest = entries(store, Filter(expected=expected), 1)
        if newest:
            return newest[0]
        hidden = count(store, Filter(expected=None))
        raise NoSuchEntry(
            f"the diary has only what tests and lessons expect, {hidden} in all"
            if hidden
            else "the diary has no entries yet",
            try_="lab diary list --all, or lab diary show --all"
            if hidden
            else "lab verify FILE.c, or lab diary import LOG",
        )
    found = _starting(store, wanted) or store.rows(
        f"{SELECT} WHERE e.id = (SELECT entry FROM attempts WHERE id = ?)", (wanted,)
    )
    if len(found) > 1:
        ids = ", ".join(row["id"] for row in found[:5])
        raise NoSuchEntry(f"{len(found)} entries begin with {wanted}: {ids}", try_="more digits")
    if not found:
        raise NoSuchEntry(f"no entry {wanted} is in the diary", try_="lab diary list --all")
    return entry_of(found[0])


_SIGHTINGS = (
    "SELECT id AS attempt, time, kernel, argv AS command, comm, pid, test, file, revision, "
    "dirty, expected FROM attempts WHERE entry = ? ORDER BY"
)


def sightings(store: Store, entry_id: str, limit: int | None = None) -> list[Sighting]:
    """Return when and by whom an entry was met, newest first."""
    rows = store.rows(
        f"{_SIGHTINGS} time DESC, id DESC LIMIT ?", (entry_id, -1 if limit is None else limit)
    )
    return [_sighting(row) for row in rows]


def first_sighting(store: Store, entry_id: str) -> Sighting:
    """Return when and by whom an entry was met first."""
    row = store.row(f"{_SIGHTINGS} time, id LIMIT 1", (entry_id,))
    assert row is not None, f"entry {entry_id} without a sighting"
    return _sighting(row)


def kernels(store: Store, entry_id: str) -> list[str]:
    """Return the kernels that an entry was met on, that of the newest sighting first."""
    rows = store.rows(
        "SELECT kernel FROM attempts WHERE entry = ? AND kernel IS NOT NULL "
        "GROUP BY kernel ORDER BY max(time) DESC, kernel",
        (entry_id,),
    )
    return [row["kernel"] for row in rows]


def condition(wanted: Filter) -> tuple[str, tuple[Value, ...]]:
    """Return a filter as SQL on `entries e`, and its parameters."""
    parts: dict[str, tuple[Value, ...]] = {}
    if wanted.class_id is not None:
        parts["e.class = ?"] = (wanted.class_id,)
    if wanted.layer is not None:
        parts["e.layer = ?"] = (wanted.layer,)
    if wanted.cured is not None:
        parts[f"e.cured_by IS {'NOT' if wanted.cured else ''} NULL"] = ()
    if wanted.expected is not None:
        parts["e.expected = ?"] = (wanted.expected,)
    if wanted.kernel is not None:
        parts[_ANY_SIGHTING.format("a.kernel LIKE ? ESCAPE '\\'")] = (_like(wanted.kernel),)
    if wanted.program is not None:
        words = "(a.program LIKE ? ESCAPE '\\' OR a.object LIKE ? ESCAPE '\\')"
        parts[_ANY_SIGHTING.format(words)] = (_like(wanted.program),) * 2
    where = " AND ".join(parts) or "1"
    return where, tuple(value for values in parts.values() for value in values)


_ANY_SIGHTING = "EXISTS (SELECT 1 FROM attempts a WHERE a.entry = e.id AND {})"
_COLUMNS = tuple("class" if f.name == "class_id" else f.name for f in fields(Entry))
_EXPECTED = _COLUMNS.index("expected")
SELECT = "SELECT {} FROM entries e".format(", ".join(f'e."{name}"' for name in _COLUMNS))


def entry_of(row: sqlite3.Row) -> Entry:
    """Make an entry of a row of `SELECT`."""
    values = list(row)
    values[_EXPECTED] = bool(values[_EXPECTED])
    return Entry(*values)


def known(store: Store, column: str) -> list[str]:
    """Return the values that a filter may choose from: of `class`, `kernel` or `program`."""
    sql = f'SELECT DISTINCT "{column}" FROM attempts WHERE entry IS NOT NULL ORDER BY 1'
    rows = store.rows(sql)
    return [row[0] for row in rows if row[0] is not None]


def _starting(store: Store, start: str) -> list[sqlite3.Row]:
    if not start or not start.isalnum():
        return []
    # A range, not LIKE: it uses the index.
    return store.rows(f"{SELECT} WHERE e.id >= ? AND e.id < ? LIMIT 100", (start, f"{start}g"))


def _sighting(row: sqlite3.Row) -> Sighting:
    values = {field.name: row[field.name] for field in fields(Sighting)}
    dirty = None if row["dirty"] is None else bool(row["dirty"])
    return Sighting(**values | {"dirty": dirty, "expected": bool(row["expected"])})


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
