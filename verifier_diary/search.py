"""Find entries by words in their message, source, log and explanation."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from verifier_diary.entries import Entry, Filter, by_ids, condition
from verifier_diary.schema import SEARCHED
from verifier_diary.store import Store

MARKS = ("\u27e8", "\u27e9")  # around a found word in a passage
_WORDS = re.compile(r'"([^"]*)"?|(\S+)')
# A word in the message weighs more than one in a log, which has so many.
_WEIGHTS = (10.0, 4.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Passage:
    """Where an entry holds the words."""

    column: str  # the best of the four
    text: str  # the words are in angle brackets


def search(
    store: Store, text: str, wanted: Filter | None = None, limit: int | None = None
) -> list[Entry]:
    """Return the entries that hold all words, as beginnings of words; best first.

    Words between double quotes have to follow each other.
    """
    terms = query(text)
    if not terms:
        return []
    where, parameters = condition(wanted or Filter())
    weights = ", ".join(map(str, _WEIGHTS))
    # Ranked by ids alone: sorting whole rows takes twice as long.
    best = store.rows(
        f"SELECT e.id FROM searched_fts found JOIN searched s ON s.rowid = found.rowid "
        f"JOIN entries e ON e.id = s.entry WHERE searched_fts MATCH ? AND {where} "
        f"ORDER BY bm25(searched_fts, {weights}), e.last_seen DESC, e.id LIMIT ?",
        (terms, *parameters, -1 if limit is None else limit),
    )
    return by_ids(store, [row["id"] for row in best])


def passages(store: Store, text: str, found: Sequence[Entry]) -> dict[str, Passage]:
    """Return, by entry, where the words were found; one query, whatever the number."""
    start, end = MARKS
    snippets = ", ".join(
        f"snippet(searched_fts, {number}, '{start}', '{end}', '…', 12) AS {column}"
        for number, column in enumerate(SEARCHED)
    )
    ids = [entry.id for entry in found]
    # The plus keeps SQLite from searching again for every row.
    rows = store.rows(
        f"SELECT (SELECT entry FROM searched s WHERE s.rowid = searched_fts.rowid) AS id, "
        f"{snippets} FROM searched_fts WHERE searched_fts MATCH ? AND +rowid IN "
        f"(SELECT rowid FROM searched WHERE entry IN ({', '.join('?' * len(ids))}))",
        (query(text), *ids),
    )
    return {row["id"]: _passage(row) for row in rows}


def query(text: str) -> str:
    """Return what a person typed as an FTS5 query that never is a syntax error."""
    words = [phrase or word for phrase, word in _WORDS.findall(text)]
    return " ".join(f'"{bare}"*' for word in words if (bare := _bare(word)))


# A term without any letter or digit would find nothing.
def _bare(word: str) -> str:
    return re.sub(r'["\0]', " ", word).strip() if re.search(r"\w", word) else ""


def _passage(row: sqlite3.Row) -> Passage:
    for column in SEARCHED:
        if row[column] and MARKS[0] in row[column]:
            return Passage(column, re.sub(r"\s+", " ", row[column]))
    return Passage("", "")
