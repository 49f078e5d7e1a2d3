"""Attempts on their way into the diary's tables, and back."""

from __future__ import annotations

import json
import shlex
import sqlite3
from dataclasses import asdict, dataclass, replace
from typing import Any

from verifier_diary import texts
from verifier_diary.finding import Finding, find
from verifier_diary.fingerprint import fingerprint
from verifier_diary.lessons import expectations
from verifier_diary.model import Attempt
from verifier_diary.origin import Git, Origin
from verifier_diary.scrub import scrub
from verifier_diary.search_text import Searched, searched
from verifier_diary.store import Store, Value
from verifier_diary.texts import Packed, pack

# The columns that a repeat has of its own.
_OWN = ("id", "time", "argv", "comm", "pid", "test", "revision", "dirty", "usec")
# The columns that come from the diagnosis.
_FINDING = (
    "layer",
    "class",
    "message",
    "instruction",
    "source_line",
    "source_file",
    "source_line_number",
    "truncated",
)
_LESSON = "EXPECT_REJECT("


@dataclass(frozen=True)
class Prepared:
    """An attempt, diagnosed and packed: what takes time is done before the lock is taken."""

    row: dict[str, Value]
    texts: tuple[Packed, ...]
    finding: Finding | None = None  # None where it was accepted
    searched: Searched | None = None


def prepare(attempt: Attempt, *, file: str | None = None) -> Prepared:
    """Make an attempt ready to be stored; `file` is where a pasted log comes from."""
    finding = None if attempt.accepted else find(attempt)
    if finding:
        attempt = replace(attempt, layer=finding.layer)
    log, details = pack(scrub(attempt.log)), pack(_details(attempt))
    sources = [pack(source.text) for source in attempt.sources if source.text is not None]
    row = _of_program(attempt) | _of_origin(attempt.id, attempt.time, attempt.origin, attempt.git)
    row |= _of_verifier(attempt) | _of_finding(finding)
    row |= {
        "entry": fingerprint(attempt.program, finding) if finding else None,
        "file": file,
        "details_sha256": details.sha256,
        "log_sha256": log.sha256,
    }
    words = searched(attempt, finding) if finding else None
    return Prepared(row, (log, details, *sources), finding, words)


def repeated(store: Store, first: str, own: Attempt) -> Prepared | None:
    """Return the same attempt as `first` by another process; None if `first` is not known."""
    row = store.row("SELECT * FROM attempts WHERE id = ?", (first,))
    if row is None:
        return None
    who = _of_origin(own.id, own.time, own.origin, own.git) | {"usec": own.stats.usec}
    return Prepared(dict(row) | {name: who[name] for name in _OWN}, ())


def update(store: Store, prepared: Prepared) -> None:
    """Replace what the diary made of a filed attempt, within `writing`."""
    changed = {name: prepared.row[name] for name in ("entry", "expected", *_FINDING)}
    names = ", ".join(f'"{name}" = ?' for name in changed)
    values = (*changed.values(), prepared.row["id"])
    store.write(f"UPDATE attempts SET {names} WHERE id = ?", values)


def is_known(store: Store, attempt_id: str) -> bool:
    """Say whether an attempt is filed."""
    return store.row("SELECT 1 FROM attempts WHERE id = ?", (attempt_id,)) is not None


def insert(store: Store, prepared: Prepared) -> bool:
    """Store an attempt, within `writing`; says whether it was new."""
    for packed in prepared.texts:
        texts.put(store, packed)
    return store.insert("attempts", prepared.row)


def attempt(store: Store, attempt_id: str) -> Attempt | None:
    """Return an attempt as it was loaded, texts included."""
    row = store.row("SELECT * FROM attempts WHERE id = ?", (attempt_id,))
    return None if row is None else _restored(store, row)


def identity(attempt: Attempt) -> str | None:
    """Return what a rejected attempt and its cure have in common, or None for a nameless one."""
    program = attempt.program
    if program.object is not None:
        return json.dumps(program.identity)
    if program.function and attempt.origin.comm:
        *_, function = program.identity
        return json.dumps((attempt.origin.comm, program.type, function))
    return None


# A lesson's bad program is wanted to fail, whoever loads it.
def _is_lesson(attempt: Attempt) -> bool:
    text = next((source.text for source in attempt.sources if source.text), "")
    if attempt.accepted or _LESSON not in text:
        return False
    expected = expectations(text).get(attempt.program.function)
    return bool(expected and expected.messages)


def _details(attempt: Attempt) -> str:
    bare = tuple(replace(source, text=None) for source in attempt.sources)
    stats = replace(attempt.stats, usec=None)
    record = replace(attempt, log="", sources=bare, stats=stats).to_json()
    for name in ("id", "time", "origin", "git"):
        del record[name]
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def _restored(store: Store, row: sqlite3.Row) -> Attempt:
    record: dict[str, Any] = json.loads(texts.get(store, row["details_sha256"]) or "{}")
    for source in record["sources"]:
        source["text"] = texts.get(store, source["sha256"])
    record["stats"]["usec"] = row["usec"]
    dirty = None if row["dirty"] is None else bool(row["dirty"])
    argv = tuple(shlex.split(row["argv"] or ""))
    return Attempt.from_json(
        record
        | {
            "id": row["id"],
            "time": row["time"],
            "log": texts.get(store, row["log_sha256"]) or "",
            "origin": asdict(Origin(argv, row["test"], row["pid"], row["comm"])),
            "git": asdict(Git(row["revision"], dirty)),
        }
    )


def _of_program(attempt: Attempt) -> dict[str, Value]:
    program = attempt.program
    return {
        "accepted": attempt.accepted,
        "expected": attempt.expected or _is_lesson(attempt),
        "identity": identity(attempt),
        "object": program.object,
        "section": program.section,
        "program": program.function or None,
        "type": program.type,
        "kernel": attempt.kernel.release,
        "object_sha256": attempt.object_sha256,
    }


def _of_origin(attempt_id: str, time: str, origin: Origin, git: Git) -> dict[str, Value]:
    return {
        "id": attempt_id,
        "time": time,
        "argv": scrub(shlex.join(origin.argv)) or None,
        "comm": origin.comm,
        "pid": origin.pid,
        "test": origin.test,
        "revision": git.revision,
        "dirty": git.dirty,
    }


def _of_verifier(attempt: Attempt) -> dict[str, Value]:
    stats = attempt.stats
    return {
        "errno": attempt.errno,
        "loader": attempt.toolchain.loader,
        "instructions": stats.instructions,
        "instruction_limit": stats.limit,
        "states": stats.states,
        "usec": stats.usec,
    }


def _of_finding(finding: Finding | None) -> dict[str, Value]:
    if finding is None:
        return {}
    values = asdict(finding) | {"class": finding.class_id}
    return {name: values[name] for name in _FINDING}
