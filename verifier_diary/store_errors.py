"""What can go wrong with the diary itself; the class decides the exit code.

DiaryError               1
├── DiaryUnusable        3  the disk, the directory or the file: full, read-only, damaged, too new
├── DiaryForbidden       4  it belongs to somebody else
├── DiaryBusy            5  another process holds it
├── NoSuchEntry          2  no entry, or more than one, has this id
└── BadLog               7  a file holds no log
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from verifier_diary.errors import DiaryError

_LEAST_ROOM = 64 * 1024  # bytes; that file alone takes half of it
NOTHING_LOST = "what is not filed yet is still in the journal, or in its file"


class DiaryUnusable(DiaryError):
    """The diary's file, directory or disk cannot be used."""

    exit_code = 3


class DiaryForbidden(DiaryError):
    """The person may not read or write the diary."""

    exit_code = 4


class DiaryBusy(DiaryError):
    """Another process holds the diary for too long."""

    exit_code = 5


class NoSuchEntry(DiaryError):
    """An id names no entry, or several."""

    exit_code = 2


class BadLog(DiaryError):
    """A file cannot be imported."""

    exit_code = 7


def explained(error: sqlite3.Error, path: Path) -> DiaryError:
    """Turn what SQLite says into what a person can act on."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DiaryBusy(
            f"the diary {path} is held by another process; {NOTHING_LOST}",
            try_="run the command again in a moment",
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path.parent)):
        return DiaryUnusable(
            f"no space left for the diary {path}; {NOTHING_LOST}",
            try_="free some space, or set GLIMPSE_DIARY to a file on another disk",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return DiaryUnusable(
            f"the diary {path} is damaged, or is no SQLite database ({error}); {NOTHING_LOST}",
            try_=f"move {path} away: the next command builds a new one from the journal",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return not_writable(path)
    return DiaryUnusable(f"the diary {path} cannot be used: {error}; {NOTHING_LOST}")


# For the file beside the diary that its readers share, SQLite reports a full disk as an I/O error.
def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def not_writable(path: Path) -> DiaryError:
    """Say what keeps the diary from being written."""
    if path.is_dir():
        return DiaryUnusable(
            f"the diary {path} is a directory, not a file",
            try_=f"GLIMPSE_DIARY={path / 'diary.db'}",
        )
    existing = (place for place in (path, *path.parents) if place.exists())
    place = next(existing, path)
    if place == path and os.access(place, os.W_OK):
        place = path.parent
    why = "is read-only for you"
    if place != path and not place.is_dir():
        why = "is a file, not a directory"
    return DiaryForbidden(
        f"the diary {path} cannot be written: {place} {why}; {NOTHING_LOST}",
        try_="check who owns it, or set GLIMPSE_DIARY to a file of yours",
    )


def too_new(path: Path, found: int, known: int) -> DiaryError:
    """Say that a newer program wrote the diary."""
    return DiaryUnusable(
        f"the diary {path} was written by a newer version (schema {found}, this one knows {known})",
        try_="update this checkout, or set GLIMPSE_DIARY to another file",
    )
