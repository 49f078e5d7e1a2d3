"""The append-only files of raw attempts: one JSON line each, texts beside them by hash.

A line is either an attempt, or `{"repeat": ID, ...}`: the same attempt as ID's again, by another
process, at another time. Several processes may write; a reader never needs a lock.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from verifier_diary.model import SCHEMA, Attempt, sha256_of
from verifier_diary.ownership import (
    inherit_owner,
    make_directory,
    state_directory,
    write_atomically,
)
from verifier_diary.scrub import repository

INLINE_LOG = 64 * 1024  # characters; a longer log is a text of its own
TEXTS = "texts"
GZIPPED_TEXT = 1024 * 1024  # bytes; a longer text is kept as <sha256>.gz, for git's sake

_WHO_AND_WHEN = ("id", "time", "origin", "git")
_HEAD = re.compile(rb'^\{"schema":\d+,"id":"(\w+)","content":"(\w+)"', re.MULTILINE)
# The only thing in a log that differs between two identical verifications.
_TIMING = re.compile(r"verification time \d+ usec")
# Per journal file: how far it was read, and the id of the first attempt with each content.
_seen: dict[Path, tuple[int, dict[str, str]]] = {}


def directory() -> Path:
    """Return where this process's attempts go (not created)."""
    chosen = os.environ.get("GLIMPSE_JOURNAL")
    if chosen:
        return Path(chosen)
    root = repository()
    return root / "verifier_diary" / "journal" if root else state_directory() / "journal"


def strangers() -> Path:
    """Return where the recorded loads of others go: never into a checkout's committed journal."""
    chosen = os.environ.get("GLIMPSE_JOURNAL")
    return Path(chosen) if chosen else state_directory() / "journal"


def append(attempt: Attempt, where: Path | None = None) -> Path | None:
    """Write one attempt; on failure say on stderr what was lost, and return None."""
    folder = where or directory()
    try:
        make_directory(folder)
        path = folder / f"{attempt.time[:10]}.jsonl"
        _write(path, attempt.to_json())
    except OSError as error:
        _report_loss(attempt, folder, error)
        return None
    return path


def read(path: Path, on_problem: Callable[[str], None] | None = None) -> Iterator[Attempt]:
    """Yield the attempts of a journal directory or of one of its files, oldest first.

    A line that cannot be read (torn by a crash, or of a newer schema) is reported and passed over.
    """
    complain = on_problem or _print_problem
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    for file in files:
        yield from _read_file(file, complain)


def _read_file(file: Path, complain: Callable[[str], None]) -> Iterator[Attempt]:
    firsts: dict[str, Attempt] = {}
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                attempt = attempt_of(record, firsts, file.parent)
            except (ValueError, KeyError, TypeError) as error:
                torn = "" if line.endswith(b"\n") else " (torn: the writer died in it)"
                complain(f"{file}:{number}: unreadable attempt{torn}: {error}")
                continue
            firsts[attempt.id] = attempt
            yield attempt


def attempt_of(record: dict[str, Any], firsts: dict[str, Attempt], folder: Path) -> Attempt:
    """Return the attempt of one line; `firsts` has those that a repeat may name, by id."""
    if record["schema"] > SCHEMA:
        raise ValueError(f"schema {record['schema']} is newer than this program's {SCHEMA}")
    if "repeat" in record:
        return _repeated(record, firsts[record["repeat"]])
    reference = record.pop("log_sha256", None)
    if reference:
        text = _text(folder, reference)
        record |= {"log": text or "", "truncated": record["truncated"] or text is None}
    for source in record["sources"]:
        source["text"] = _text(folder, source["sha256"])
    return Attempt.from_json(record)


def _repeated(record: dict[str, Any], first: Attempt) -> Attempt:
    again = Attempt.from_json({**record, "program": {"function": ""}, "accepted": False})
    usec = record.get("usec")
    stats = replace(first.stats, usec=usec)
    log = _TIMING.sub(f"verification time {usec} usec", first.log) if usec else first.log
    return replace(
        first,
        id=again.id,
        time=again.time,
        origin=again.origin,
        git=again.git,
        stats=stats,
        log=log,
    )


def _write(path: Path, record: dict[str, Any]) -> None:
    created = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if created:
            inherit_owner(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        line = _line(path, descriptor, record)
        if "repeat" not in line:
            _store_texts(path.parent, line)
        _append_line(descriptor, _compact(line))
    finally:
        os.close(descriptor)


# All in one write; a partial one (disk full) is undone, so that it tears no line.
def _append_line(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # another writer died within its line
    written = os.write(descriptor, line)
    if written != len(line):
        os.ftruncate(descriptor, size)
        raise OSError(28, "No space left for a whole line")


# The full record, or a repeat of an identical one in the same file.
def _line(path: Path, descriptor: int, record: dict[str, Any]) -> dict[str, Any]:
    content = _content(record)
    offset, firsts = _seen.get(path, (0, {}))
    size = os.fstat(descriptor).st_size
    if size < offset:
        offset, firsts = 0, {}
    for match in _HEAD.finditer(os.pread(descriptor, size - offset, offset)):
        firsts.setdefault(match[2].decode(), match[1].decode())
    _seen[path] = (size, firsts)
    if content not in firsts:
        return {"schema": record["schema"], "id": record["id"], "content": content, **record}
    who = {name: record[name] for name in _WHO_AND_WHEN}
    usec = record["stats"]["usec"]
    return {"schema": SCHEMA, "repeat": firsts[content], **who, "usec": usec}


def _content(record: dict[str, Any]) -> str:
    rest = {name: value for name, value in record.items() if name not in _WHO_AND_WHEN}
    rest["stats"] = {**record["stats"], "usec": None}
    rest["log"] = _TIMING.sub("", record.get("log", ""))
    return sha256_of(_compact(rest))


def _store_texts(folder: Path, record: dict[str, Any]) -> None:
    for source in record["sources"]:
        text = source.pop("text")
        if text is not None:
            _store(folder, text)
    if len(record["log"]) > INLINE_LOG:
        record["log_sha256"] = _store(folder, record.pop("log"))


def _store(folder: Path, text: str) -> str:
    name = sha256_of(text)
    data = text.encode("utf-8", "surrogateescape")
    path = folder / TEXTS / name
    if len(data) > GZIPPED_TEXT:
        path = _gzipped(path)
        data = gzip.compress(data, mtime=0)
    if not path.exists():
        make_directory(path.parent)
        write_atomically(path, data)
    return name


def _text(folder: Path, name: str) -> str | None:
    path = folder / TEXTS / name
    try:
        data = path.read_bytes() if path.exists() else gzip.decompress(_gzipped(path).read_bytes())
    except (OSError, EOFError):
        return None
    return data.decode("utf-8", "surrogateescape")


def _gzipped(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


def _compact(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, separators=(",", ":"), ensure_ascii=True) + "\n").encode()


def _report_loss(attempt: Attempt, folder: Path, error: OSError) -> None:
    verdict = "accepted" if attempt.accepted else f"rejected ({attempt.layer})"
    print(
        f"warning: the journal lost one attempt: program {attempt.program.function}, {verdict}, "
        f"could not be written to {folder}: {error.strerror or error}\n"
        "try: free space there or make it writable, or set GLIMPSE_JOURNAL to another directory",
        file=sys.stderr,
    )


def _print_problem(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)
