"""Numbers over the whole diary: what is rejected, how often, and what it takes to cure it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from statistics import median
from typing import Any

from verifier_diary.store import Store


@dataclass(frozen=True, slots=True)
class Count:
    """Entries and sightings of one class, kernel or program."""

    name: str
    entries: int
    open: int
    sightings: int


@dataclass(frozen=True, slots=True)
class Week:
    """What was rejected in one ISO week."""

    name: str  # 2026-W48
    sightings: int
    programs: int


@dataclass(frozen=True, slots=True)
class Tries:
    """How many rejections it took until a class was cured."""

    name: str  # a class, or "all"
    cured: int
    median: float
    most: int


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the verifier's limit a program's revision takes."""

    name: str  # object and program
    revision: str | None
    time: str
    kernel: str | None
    instructions: int
    limit: int | None
    margin: float | None  # the share of the limit that is left
    states: int | None
    attempt: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """All of it; `expected` rejections are left out unless asked for."""

    classes: tuple[Count, ...]
    kernels: tuple[Count, ...]
    programs: tuple[Count, ...]
    weeks: tuple[Week, ...]
    tries: tuple[Tries, ...]
    sizes: tuple[Size, ...]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield everything as records of one shape; `section` says what a record is about."""
        kinds = (Count, Week, Tries, Size)
        empty = dict.fromkeys(field.name for kind in kinds for field in fields(kind))
        for field in fields(self):
            for record in getattr(self, field.name):
                yield {"section": field.name, **empty, **asdict(record)}


def statistics(store: Store, *, expected: bool = False) -> Statistics:
    """Count everything."""
    wanted = "1" if expected else "NOT a.expected"
    return Statistics(
        _counts(store, "class", wanted),
        _counts(store, "kernel", wanted),
        _counts(store, "program", wanted),
        _weeks(store, wanted),
        _tries(store, "1" if expected else "NOT expected"),
        sizes(store),
    )


def _counts(store: Store, column: str, wanted: str) -> tuple[Count, ...]:
    rows = store.rows(
        f"SELECT coalesce(a.\"{column}\", '-') AS name, count(DISTINCT e.id) AS entries, "
        "count(DISTINCT CASE WHEN e.cured_by IS NULL THEN e.id END) AS open, "
        "count(*) AS sightings FROM attempts a JOIN entries e ON e.id = a.entry "
        f"WHERE {wanted} GROUP BY 1 ORDER BY sightings DESC, name"
    )
    return tuple(Count(**dict(row)) for row in rows)


def _weeks(store: Store, wanted: str) -> tuple[Week, ...]:
    weeks: dict[str, list[sqlite3.Row]] = {}
    for row in store.rows(
        "SELECT substr(time, 1, 10) AS day, count(*) AS sightings, "
        "group_concat(DISTINCT coalesce(program, '-')) AS programs "
        f"FROM attempts a WHERE entry IS NOT NULL AND {wanted} GROUP BY 1 ORDER BY 1"
    ):
        year, week, _ = datetime.fromisoformat(row["day"]).isocalendar()
        weeks.setdefault(f"{year}-W{week:02}", []).append(row)
    return tuple(_week(name, days) for name, days in weeks.items())


def _week(name: str, days: Sequence[sqlite3.Row]) -> Week:
    programs = {program for day in days for program in day["programs"].split(",")}
    return Week(name, sum(day["sightings"] for day in days), len(programs))


def _tries(store: Store, wanted: str) -> tuple[Tries, ...]:
    tries: dict[str, list[int]] = {}
    for row in store.rows(
        f"SELECT class, tries FROM entries WHERE tries IS NOT NULL AND {wanted} ORDER BY class"
    ):
        tries.setdefault("all", []).append(row["tries"])
        tries.setdefault(row["class"], []).append(row["tries"])
    return tuple(
        Tries(name, len(numbers), float(median(numbers)), max(numbers))
        for name, numbers in tries.items()
    )


def sizes(store: Store) -> tuple[Size, ...]:
    """Return what accepted programs cost the verifier, whenever that changed on a kernel.

    Loads are many, changes few. Of an object with several knobs or sizes the largest number counts.
    """
    last: dict[tuple[str, str | None], int] = {}
    found: list[Size] = []
    for row in store.rows(
        "SELECT object, program, revision, min(time) AS time, id, kernel, "
        "max(instructions) AS instructions, max(instruction_limit) AS instruction_limit, "
        "max(states) AS states "
        "FROM attempts WHERE accepted AND instructions IS NOT NULL AND program IS NOT NULL "
        "GROUP BY object, program, revision, kernel, object_sha256 "
        "ORDER BY object, program, time"
    ):
        size = _size(row)
        if last.get((size.name, size.kernel)) != size.instructions:
            found.append(size)
        last[size.name, size.kernel] = size.instructions
    return tuple(found)


def _size(row: sqlite3.Row) -> Size:
    instructions, limit = row["instructions"], row["instruction_limit"]
    return Size(
        ":".join(filter(None, (row["object"], row["program"]))),
        row["revision"],
        row["time"],
        row["kernel"],
        instructions,
        limit,
        1 - instructions / limit if limit else None,
        row["states"],
        row["id"],
    )
