"""The diary's database: found, opened, brought up to date, and written by one process at a time.

Reading needs the standard library alone; sqlite-utils makes the tables (`schema`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from verifier_diary.ownership import inherit_owner, make_directory, state_directory
from verifier_diary.schema import SCHEMA, migrate
from verifier_diary.store_errors import explained, not_writable, too_new

PATIENCE_S = 10.0  # how long to wait for another process
_PAUSE_S = 0.02

Value = str | int | float | bytes | None
Parameters = Sequence[Value] | Mapping[str, Value]


def location() -> Path:
    """Return the diary's file: GLIMPSE_DIARY, or in the person's state directory."""
    chosen = os.environ.get("GLIMPSE_DIARY")
    return Path(chosen) if chosen else state_directory() / "diary.db"


class Store:
    """An open diary; a context manager."""

    def __init__(self, path: Path | None = None, *, patience_s: float = PATIENCE_S) -> None:
        """Open the diary and create or migrate it where need be; raises DiaryError.

        One that may be read but not written is opened all the same; what writes to it fails.
        """
        self.path = path or location()
        self._patience_s = patience_s
        name = _read_only(self.path)
        if name is None:
            _make_file(self.path)
        with self._explaining():
            self._connection = sqlite3.connect(
                name or self.path,
                uri=name is not None,
                timeout=patience_s,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Store:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._explaining():
            return self._connection.execute(sql, _bindable(parameters)).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        with self._explaining():
            first = self._connection.execute(sql, _bindable(parameters)).fetchone()
            return cast("sqlite3.Row | None", first)

    def write(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement, within `writing`; returns the number of rows it changed."""
        return self._connection.execute(sql, _bindable(parameters)).rowcount

    def insert(self, table: str, record: dict[str, Any], *, otherwise: str = "IGNORE") -> bool:
        """Insert a record and say whether it was new; an existing one is kept or replaced."""
        names = ", ".join(f'"{name}"' for name in record)
        marks = ", ".join("?" * len(record))
        sql = f'INSERT OR {otherwise} INTO "{table}" ({names}) VALUES ({marks})'
        return self.write(sql, tuple(record.values())) > 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock; all that is written within is kept together, or nothing is."""
        with self._explaining():
            self._begin()
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    def _prepare(self) -> None:
        self._connection.row_factory = sqlite3.Row
        with self._explaining():
            self._connection.execute("PRAGMA foreign_keys = ON")
            version = self._version()
        if version > SCHEMA:
            raise too_new(self.path, version, SCHEMA)
        if version < SCHEMA:
            self._migrate()

    def _version(self) -> int:
        number: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return number

    def _migrate(self) -> None:
        with self._explaining():
            self._patiently("PRAGMA journal_mode = WAL")
        with self.writing():
            if self._version() < SCHEMA:  # nobody was faster
                migrate(self._connection)

    def _begin(self) -> None:
        self._patiently("BEGIN IMMEDIATE")

    # SQLite does not wait where waiting could be a deadlock: while the journal mode changes, or
    # while another process recovers the log of one that died.
    def _patiently(self, sql: str) -> None:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                self._connection.execute(sql)
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_S)


# Bytes that are no UTF-8 are lone surrogates in Python's strings, which SQLite does not take.
def _bindable(parameters: Parameters) -> Parameters:
    if isinstance(parameters, Mapping):
        return {name: _encodable(value) for name, value in parameters.items()}
    return tuple(map(_encodable, parameters))


def _encodable(value: Value) -> Value:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


# Write-ahead logging needs to write beside the file even to read it, unless told that nobody else
# writes: on a read-only disk, or in another person's directory, that is the best guess.
def _read_only(path: Path) -> str | None:
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if writable or not (path.is_file() and os.access(path, os.R_OK)):
        return None
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


# Made before SQLite opens it, so that under sudo it is the invoking person's; SQLite gives the
# files beside it (-wal, -shm) the same owner.
def _make_file(path: Path) -> None:
    try:
        make_directory(path.parent)
        if not path.exists():
            path.touch(mode=0o600)
            inherit_owner(path)
    except OSError as error:
        raise not_writable(path) from error
