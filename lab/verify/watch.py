"""Verify a file again whenever it, or something it is made from, is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import BadInput, LabError
from lab.verify.changes import changes
from lab.verify.check import Verdict, Verification, verify
from verifier_diary.ownership import invoking_home
from verifier_diary.scrub import repository

POLL_S = 0.2  # asking the file system works with every editor and every file system

Stamp = tuple[int, int, int] | None  # None: not there


@dataclass(frozen=True)
class Round:
    """One verification of a watched file, or why there is none."""

    number: int
    saved: tuple[Path, ...]  # empty the first time
    verification: Verification | None
    changes: dict[str, str]  # by program; empty the first time, or where clang refuses
    problem: LabError | None = None


def watch(
    path: Path, *, full_log: bool = False, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Round]:
    """Yield a round at once, and one after each save; the caller ends it.

    A file that cannot be used is an error the first time, later it is half saved.
    """
    stamps = _stamps([path])
    current = verify(path, full_log=full_log)
    yield Round(0, (), current, {})
    compared: tuple[Verdict, ...] | None = current.verdicts if current.compiled else None
    number = 0
    while True:
        stamps |= _stamps(p for p in _files(current) if p not in stamps)
        saved = _wait(stamps, sleep)
        stamps = _stamps(stamps)
        number += 1
        try:
            current = verify(path, full_log=full_log)
        except BadInput as problem:
            yield Round(number, saved, None, {}, problem)
            continue
        if not current.compiled:
            yield Round(number, saved, current, {})
            continue
        yield Round(number, saved, current, changes(compared, current.verdicts))
        compared = current.verdicts


# A save takes several steps: what has changed must have stopped changing.
def _wait(before: dict[Path, Stamp], sleep: Callable[[float], None]) -> tuple[Path, ...]:
    while True:
        sleep(POLL_S)
        after = _stamps(before)
        saved = tuple(path for path in before if after[path] != before[path])
        if not saved:
            continue
        sleep(POLL_S)
        if _stamps(before) == after and any(after[path] for path in saved):
            return saved


def _stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _files(verification: Verification) -> list[Path]:
    return [absolute(source) for source in verification.sources]


def absolute(written: str) -> Path:
    """Return the path of a file as the journal writes it down: from the repository or the home."""
    if written.startswith("~/"):
        return invoking_home() / written[2:]
    root = repository()
    return root / written if root else Path(written)
