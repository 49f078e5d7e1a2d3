"""What cured an entry: the next accepted attempt of the same program, and what it changed."""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verifier_diary.attempts import attempt
from verifier_diary.entries import Entry
from verifier_diary.model import Attempt, Layer, SourceText
from verifier_diary.source import body_of
from verifier_diary.store import Store


@dataclass(frozen=True, slots=True)
class Cure:
    """The accepted attempt that followed, and the way to it; numbers are None where unknown."""

    attempt: str
    time: str
    revision: str | None
    tries: int  # rejections of the program until then
    diff: str  # unified, of all sources that changed; '' where none did, or none is known
    settings: tuple[str, ...]  # knobs, map sizes, kernel, compiler: `width: 8 -> 16`
    instructions: tuple[int | None, int | None]  # processed, before and after
    states: tuple[int | None, int | None]
    sources_known: bool = True


def cure_of(store: Store, rejected: sqlite3.Row) -> sqlite3.Row | None:
    """Return the attempt that cured a rejected one, if any.

    Only the kernel that refused can say that a program is cured, or one of the same series (6.18).
    The same object accepted by another release of it is no cure: the program is what it was.
    """
    return store.row(
        "SELECT * FROM attempts WHERE accepted AND identity = :identity AND time > :time "
        "AND (kernel IS :kernel OR object_sha256 IS NOT :object_sha256) "
        "AND (:series IS NULL OR kernel = :series OR kernel GLOB :series || '[^0-9]*') "
        "ORDER BY time, id LIMIT 1",
        {
            **{name: rejected[name] for name in ("identity", "time", "kernel", "object_sha256")},
            "series": _series(rejected),
        },
    )


# clang asks no kernel, and whoever pasted a log may not have named one.
def _series(rejected: sqlite3.Row) -> str | None:
    if rejected["kernel"] is None or rejected["layer"] == Layer.COMPILER:
        return None
    match = re.match(r"\d+\.\d+", rejected["kernel"])
    return match[0] if match else str(rejected["kernel"])


def tries_until(store: Store, cure: sqlite3.Row) -> int:
    """Count the rejections of a program between its cure and the last time it was accepted."""
    row = store.row(
        "SELECT count(*) FROM attempts WHERE identity = :identity AND NOT accepted "
        "AND time < :time AND time > coalesce((SELECT max(time) FROM attempts "
        "WHERE accepted AND identity = :identity AND time < :time), '')",
        {"identity": cure["identity"], "time": cure["time"]},
    )
    return int(row[0]) if row else 0


def cure(store: Store, entry: Entry) -> Cure | None:
    """Return how an entry was cured, or None while it is open."""
    if entry.cured_by is None:
        return None
    before, after = attempt(store, entry.last_attempt), attempt(store, entry.cured_by)
    if before is None or after is None:
        return None
    return Cure(
        attempt=after.id,
        time=after.time,
        revision=after.git.revision,
        tries=entry.tries or 1,
        diff=source_diff(before.sources, after.sources) or pair_diff(before, after),
        settings=tuple(_settings(before, after)),
        instructions=(before.stats.instructions, after.stats.instructions),
        states=(before.stats.states, after.stats.states),
        sources_known=bool(before.sources or after.sources),
    )


def source_diff(before: tuple[SourceText, ...], after: tuple[SourceText, ...]) -> str:
    """Return a unified diff of all sources; a text that is not known any more is only named."""
    old, new = ({source.path: source for source in side} for side in (before, after))
    parts = [
        _diff(path, old.get(path), new.get(path))
        for path in dict.fromkeys((*old, *new))
        if old.get(path) != new.get(path)
    ]
    return "\n".join(part for part in parts if part)


def _diff(path: str, old: SourceText | None, new: SourceText | None) -> str:
    if (old and old.text is None) or (new and new.text is None):
        return f"--- {path}\n+++ {path}\n(changed; the text is not known any more)"
    lines = difflib.unified_diff(
        old.text.splitlines() if old and old.text else [],
        new.text.splitlines() if new and new.text else [],
        path if old else "/dev/null",
        path if new else "/dev/null",
        lineterm="",
    )
    return "\n".join(lines)


def pair_diff(before: Attempt, after: Attempt) -> str:
    """Return a unified diff of two functions of the same source: of a lesson's pair; '' of others.

    Their numbers are those of the file.
    """
    names = before.program.function, after.program.function
    if before.program.identity != after.program.identity or names[0] == names[1]:
        return ""
    texts = {source.path: source.text for source in after.sources if source.text}
    (path, old), (_, new) = (_function(name, texts) for name in names)
    if path is None or not old or not new:
        return ""
    lines = texts[path].splitlines()
    first, second = (lines[part.start - 1 : part.stop - 1] for part in (old, new))
    diff = difflib.unified_diff(
        first, second, f"{path} {names[0]}", f"{path} {names[1]}", lineterm=""
    )
    return "\n".join(_HUNK.sub(lambda match: _moved(match, old.start, new.start), d) for d in diff)


_HUNK = re.compile(r"^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@$")
_ABOVE = re.compile(r"\s*(?:EXPECT_\w+\(.*)?$")


def _moved(hunk: re.Match[str], old: int, new: int) -> str:
    first, second = int(hunk[1]) + old - 1, int(hunk[3]) + new - 1
    return f"@@ -{first}{hunk[2] or ''} +{second}{hunk[4] or ''} @@"


# From SEC() on, because a section may be the difference.
def _function(name: str, texts: dict[str, str]) -> tuple[str | None, range]:
    path, body = body_of(name, texts)
    if path is None:
        return None, body
    lines, start = texts[path].splitlines(), body.start
    while start > 1 and not _ABOVE.match(lines[start - 2]) and lines[start - 2][0] not in "}/ *":
        start -= 1
    return path, range(start, body.stop)


def _settings(before: Attempt, after: Attempt) -> Iterator[str]:
    yield from _changes(before.knobs, after.knobs)
    yield from _changes(before.map_sizes, after.map_sizes, "map ")
    for name, old, new in (
        ("section", before.program.section, after.program.section),
        ("kernel", before.kernel.release, after.kernel.release),
        ("clang", before.toolchain.clang, after.toolchain.clang),
        ("flags", " ".join(before.toolchain.flags), " ".join(after.toolchain.flags)),
    ):
        if old != new and not (name == "section" and _same_section(old, new)):
            yield f"{name}: {old} -> {new}"


def _same_section(old: str | None, new: str | None) -> bool:
    return (old or "").removeprefix("?") == (new or "").removeprefix("?")


def _changes(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, f"{prefix}{name}.")
        elif before != after:
            yield f"{prefix}{name}: {before} -> {after}"
