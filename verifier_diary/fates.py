"""What each kernel said of one object's program: the same bytes, read by different verifiers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from verifier_diary.store import Store


@dataclass(frozen=True, slots=True)
class Fate:
    """The newest attempt on one kernel; what does not apply is None."""

    kernel: str
    accepted: bool
    instructions: int | None  # processed by the verifier
    class_id: str | None
    message: str | None
    attempt: str
    time: str

    def record(self) -> dict[str, Any]:
        """Return it as the commands print it for programs."""
        return {"class" if name == "class_id" else name: v for name, v in asdict(self).items()}


def fates(store: Store, attempt_id: str) -> tuple[Fate, ...]:
    """Return what every kernel made of an attempt's program, of exactly that object.

    A kernel is there once, with its newest attempt; the newest kernel comes first.
    """
    row = store.row("SELECT object_sha256, program FROM attempts WHERE id = ?", (attempt_id,))
    return _of(store, row["object_sha256"], row["program"]) if row else ()


def of_program(store: Store, name: str) -> dict[str, tuple[Fate, ...]]:
    """Return, by `object:program`, the fates of the newest objects that hold a program or stem."""
    rows = store.rows(
        "SELECT object, program, object_sha256, max(time) FROM attempts "
        "WHERE (program = ? OR object = ?) AND object_sha256 IS NOT NULL "
        "GROUP BY object, program ORDER BY object, program",
        (name, name),
    )
    return {_name(row): _of(store, row["object_sha256"], row["program"]) for row in rows}


def disagreements(store: Store) -> dict[str, tuple[Fate, ...]]:
    """Return, by `object:program`, the fates of the newest objects on which kernels disagree.

    Kernels that refuse for reasons of different classes disagree, too.
    """
    rows = store.rows(
        "SELECT object, program, object_sha256, max(time) FROM attempts "
        "WHERE object_sha256 IS NOT NULL AND program IS NOT NULL "
        "GROUP BY object, program ORDER BY object, program"
    )
    every = {_name(row): _of(store, row["object_sha256"], row["program"]) for row in rows}
    return {
        name: told
        for name, told in every.items()
        if len({(fate.accepted, fate.class_id) for fate in told}) > 1
    }


def _of(store: Store, object_sha256: str | None, program: str | None) -> tuple[Fate, ...]:
    rows = store.rows(
        "SELECT kernel, accepted, instructions, class, message, id, max(time) AS time "
        "FROM attempts WHERE object_sha256 = ? AND program IS ? AND kernel IS NOT NULL "
        "GROUP BY kernel",
        (object_sha256, program),
    )
    found = [
        Fate(
            row["kernel"],
            bool(row["accepted"]),
            row["instructions"],
            row["class"],
            row["message"] or None,
            row["id"],
            row["time"],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda fate: _natural(fate.kernel), reverse=True))


def section(told: Sequence[Fate], this: str) -> str:
    """Return the fates as the end of an entry's page; nothing where only one kernel was asked.

    `this` is the page's own attempt, which another's log can be compared with.
    """
    if len(told) < 2:
        return ""
    width = max(len(fate.kernel) for fate in told)
    rows = [f"  {fate.kernel:<{width}}  {said(fate)}  (attempt {fate.attempt})" for fate in told]
    other = next(fate for fate in told if fate.attempt != this)
    rows.append(f"  lab diary diff {this} {other.attempt}  compares their logs")
    return "\n".join(["", "", "The same object on each kernel:", *rows])


def said(fate: Fate) -> str:
    """Return what a kernel said, in words."""
    if not fate.accepted:
        return f"rejected: {fate.class_id or 'unknown'}: {fate.message or '(no message)'}"
    if fate.instructions is None:
        return "accepted"
    return f"accepted: {fate.instructions:,} instructions processed"


def _name(row: sqlite3.Row) -> str:
    return f"{row['object']}:{row['program']}" if row["object"] else str(row["program"])


def _natural(kernel: str) -> list[tuple[int, str]]:
    return [(int(digits or 0), text) for digits, text in re.findall(r"(\d*)(\D*)", kernel)]
