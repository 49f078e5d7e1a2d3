"""The diary's tables, as migrations: a step that was released is never changed, only followed.

`entries` is derived: whatever it says can be computed from `attempts` again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils.db import Database

SCHEMA = 1  # PRAGMA user_version: the number of migrations

SEARCHED = ("message", "source", "log", "explanation")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a diary to this version's schema; the caller holds the write lock."""
    from sqlite_utils.db import Database  # 0.3 s: only a new or old diary pays for it
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("verifier_diary")
    migrations(name="0001_entries")(_entries)
    migrations.apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _entries(db: Database) -> None:
    db.table("texts").create({"sha256": str, "size": int, "data": bytes}, pk="sha256")
    db.table("journal_files").create(
        {"path": str, "position": int, "mark": str, "schema": int}, pk="path"
    )
    _create_attempts(db)
    _create_entries(db)
    searched = db.table("searched").create(
        {"entry": str} | dict.fromkeys(SEARCHED, str), pk="entry", not_null={"entry"}
    )
    searched.enable_fts(SEARCHED, create_triggers=True)


def _create_attempts(db: Database) -> None:
    attempts = db.table("attempts").create(
        {
            "id": str,
            "time": str,
            "accepted": int,
            "expected": int,
            "entry": str,  # null for what was accepted
            "identity": str,  # JSON; null where nothing tells one program from another
            "object": str,
            "section": str,
            "program": str,
            "type": str,
            "layer": str,
            "errno": int,
            "kernel": str,
            # what the diary made of it
            "class": str,
            "message": str,
            "instruction": int,
            "source_line": str,
            "source_file": str,
            "source_line_number": int,
            "truncated": str,  # "start", "end", or null
            # who
            "argv": str,
            "comm": str,
            "pid": int,
            "test": str,
            "file": str,  # a pasted log's
            "loader": str,
            "revision": str,
            "dirty": int,
            # the verifier's account
            "instructions": int,
            "instruction_limit": int,
            "states": int,
            "usec": int,
            # what it is made of
            "object_sha256": str,
            "details_sha256": str,
            "log_sha256": str,
        },
        pk="id",
        not_null={"id", "time", "accepted", "expected"},
    )
    attempts.create_index(["entry", "time"])
    attempts.create_index(["identity", "time"])


def _create_entries(db: Database) -> None:
    entries = db.table("entries").create(
        {
            "id": str,
            "class": str,
            "layer": str,
            "object": str,
            "section": str,
            "program": str,
            "type": str,
            "kernel": str,
            "message": str,
            "instruction": int,
            "source_line": str,
            "source_file": str,
            "source_line_number": int,
            "truncated": str,
            "expected": int,
            "sightings": int,
            "first_seen": str,
            "last_seen": str,
            "last_attempt": str,
            "cured_by": str,
            "cured_time": str,
            "tries": int,
        },
        pk="id",
        not_null={"id", "class", "layer"},
    )
    entries.create_index(["last_seen"])
