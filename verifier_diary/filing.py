"""File attempts: each once, rejected ones into their entry, and every entry kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict

from verifier_diary.attempts import Prepared, insert
from verifier_diary.cures import cure_of, tries_until
from verifier_diary.store import Store

_FROM_LAST = (
    "class",
    "layer",
    "object",
    "section",
    "program",
    "type",
    "kernel",
    "message",
    "instruction",
    "source_line",
    "source_file",
    "source_line_number",
    "truncated",
)

# Made under the lock, where it needs what was filed before it; None is passed over.
Late = Callable[[Store], Prepared | None]


def file_all(store: Store, items: Iterable[Prepared | Late]) -> int:
    """File attempts, within `writing`; returns how many were new.

    The order they come in does not matter: entries are computed from all attempts of theirs.
    """
    touched: dict[str, None] = {}
    passed: dict[str, None] = {}
    count = 0
    for item in items:
        prepared = item if isinstance(item, Prepared) else item(store)
        if prepared is None or not insert(store, prepared):
            continue
        count += 1
        row = prepared.row
        if row["entry"] is not None:
            entry = str(row["entry"])
            touched[entry] = None
            if prepared.searched:
                store.insert("searched", {"entry": entry, **asdict(prepared.searched)})
        elif row["identity"] is not None:
            passed[str(row["identity"])] = None
    for entry in touched | dict.fromkeys(_entries_of(store, passed)):
        derive(store, entry)
    return count


def _entries_of(store: Store, identities: Iterable[str]) -> Iterable[str]:
    for identity in identities:
        rows = store.rows(
            "SELECT DISTINCT entry FROM attempts WHERE identity = ? AND entry IS NOT NULL",
            (identity,),
        )
        yield from (row["entry"] for row in rows)


def derive(store: Store, entry: str) -> None:
    """Compute an entry from its attempts, within `writing`; one without any goes away."""
    last = store.row(
        "SELECT * FROM attempts WHERE entry = ? ORDER BY time DESC, id DESC LIMIT 1", (entry,)
    )
    if last is None:
        store.write("DELETE FROM entries WHERE id = ?", (entry,))
        store.write("DELETE FROM searched WHERE entry = ?", (entry,))
        return
    all_of_them = store.rows(
        "SELECT count(*) AS sightings, min(expected) AS expected, min(time) AS first_seen "
        "FROM attempts WHERE entry = ?",
        (entry,),
    )[0]
    cure = cure_of(store, last)
    store.insert(
        "entries",
        {"id": entry}
        | {name: last[name] for name in _FROM_LAST}
        | dict(all_of_them)
        | {
            "last_seen": last["time"],
            "last_attempt": last["id"],
            "cured_by": cure["id"] if cure else None,
            "cured_time": cure["time"] if cure else None,
            "tries": tries_until(store, cure) if cure else None,
        },
        otherwise="REPLACE",
    )
