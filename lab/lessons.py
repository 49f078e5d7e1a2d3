"""Keep what kernels say of the lessons, for the diary's export.

The record is a journal of its own, one file a kernel, beside the project's: `journal/lessons`. It
is replaced, not appended to: a lesson that was not changed, and of which nothing but times is
different, keeps its lines, so that recording twice changes nothing.

The running kernel is asked now; what others said to `lab matrix` is in the project's journal.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import build
from lab.verify.check import Verification, verify
from verifier_diary.journal import TEXTS
from verifier_diary.model import sha256_of
from verifier_diary.ownership import make_directory, write_atomically
from verifier_diary.scrub import relative

FOLDER = build.BPF / "lessons"
Lines = dict[str, list[bytes]]  # by lesson: of its bad program, and of its good one


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one lesson's record."""

    kernel: str
    lesson: str
    change: str  # new, changed, unchanged, or left out
    reason: str | None = None  # why it was left out


def lessons() -> list[Path]:
    """Return the sources of all lessons."""
    return sorted(FOLDER.glob("*.bpf.c"))


def ask(
    sources: Sequence[Path], folder: Path, kernel: str, advance: Callable[[float], None]
) -> list[Recorded]:
    """Load both programs of each lesson and make `folder` hold what the running kernel says.

    A lesson teaches nothing on a kernel that takes its bad program or refuses its good one: it is
    left out. Raises LabError where nothing can be loaded.
    """
    found: Lines = {}
    left_out = []
    with tempfile.TemporaryDirectory() as scratch:
        for source in sources:
            name = build.stem_of(source)
            own = Path(scratch) / name
            with _journal_in(own):
                reason = _unfit(verify(source), name)
            if reason is None:
                found[name] = [
                    line for file in sorted(own.glob("*.jsonl")) for line in _lines(file)
                ]
                _copy_texts(own, folder, found[name])
            else:
                left_out.append(Recorded(kernel, name, "left out", reason))
            advance(1)
    return [*_keep(folder, kernel, found), *left_out]


def take_over(sources: Sequence[Path], folder: Path, journal: Path, here: str) -> list[Recorded]:
    """Make `folder` hold what other kernels than `here` said, by a journal, of these sources.

    The newest verdicts count, and only on both programs of a lesson. What was recorded of sources
    that have changed since is dropped.
    """
    present = {relative(source): sha256_of(source.read_bytes()) for source in sources}
    verdicts: dict[tuple[str, str, str], bytes] = {}
    before = sorted(folder.glob("*.jsonl"))
    for path in (*before, *sorted(journal.glob("*.jsonl"))):
        for line in _lines(path):
            record = json.loads(line)
            if _is_verdict_on(present, record) and record["kernel"]["release"] != here:
                program = record["program"]
                key = record["kernel"]["release"], program["object"], program["function"]
                verdicts[key] = line
    kept = []
    known = (path.stem for path in before if path.stem != here)
    for kernel in dict.fromkeys((*known, *(kernel for kernel, _, _ in verdicts))):
        found = _pairs({(o, f): line for (k, o, f), line in verdicts.items() if k == kernel})
        for lines in found.values():
            _copy_texts(journal, folder, lines)
        kept += _keep(folder, kernel, found)
    return kept


# A line that only names another one says nothing new.
def _is_verdict_on(present: Mapping[str, str], record: Mapping[str, Any]) -> bool:
    sources = record.get("sources") or [{"path": None, "sha256": None}]
    return sources[0]["sha256"] is not None and sources[0]["sha256"] == present.get(
        sources[0]["path"]
    )


def _pairs(verdicts: Mapping[tuple[str, str], bytes]) -> Lines:
    found: Lines = {}
    for name in sorted({name for name, _ in verdicts}):
        lines = [verdicts.get((name, f"{name}_{which}"), b"null") for which in ("bad", "good")]
        bad, good = map(json.loads, lines)
        if bad and good and not bad["accepted"] and good["accepted"] and bad["time"] < good["time"]:
            found[name] = lines
    return found


def _keep(folder: Path, kernel: str, found: Lines) -> list[Recorded]:
    path = folder / f"{kernel}.jsonl"
    before, after, kept = _by_lesson(path), {}, []
    for name, lines in found.items():
        change, after[name] = _merged(before.get(name), lines)
        kept.append(Recorded(kernel, name, change))
    if after:
        make_directory(folder)
        write_atomically(path, b"".join(line for lines in after.values() for line in lines))
    else:
        path.unlink(missing_ok=True)
    _forget_texts(folder)
    return kept


# The loader writes where this points.
@contextmanager
def _journal_in(folder: Path) -> Iterator[None]:
    before = os.environ.get("GLIMPSE_JOURNAL")
    os.environ["GLIMPSE_JOURNAL"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["GLIMPSE_JOURNAL"]
        else:
            os.environ["GLIMPSE_JOURNAL"] = before


def _unfit(done: Verification, name: str) -> str | None:
    verdicts = {verdict.program: verdict for verdict in done.verdicts}
    bad, good = (verdicts.get(f"{name}_{which}") for which in ("bad", "good"))
    if bad is None or good is None:
        return next((v.message for v in done.rejected if v.message), "it did not compile")
    if bad.accepted:
        return "its bad program is accepted"
    if not good.accepted:
        return f"its good program is refused: {good.message}"
    return None


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def _by_lesson(path: Path) -> Lines:
    found: Lines = {}
    for line in _lines(path):
        found.setdefault(json.loads(line)["program"]["object"], []).append(line)
    return found


# Both programs or none: a cure has to be younger than what it cures.
def _merged(old: list[bytes] | None, new: list[bytes]) -> tuple[str, list[bytes]]:
    if old is None:
        return "new", new
    contents = ([json.loads(line)["content"] for line in lines] for lines in (old, new))
    return ("unchanged", old) if next(contents) == next(contents) else ("changed", new)


def _texts_of(lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        attempt = json.loads(line)
        yield from (source["sha256"] for source in attempt["sources"])
        if "log_sha256" in attempt:
            yield attempt["log_sha256"]


def _copy_texts(source: Path, folder: Path, lines: list[bytes]) -> None:
    make_directory(folder / TEXTS)
    for name in _texts_of(lines):
        for path in (source / TEXTS).glob(f"{name}*"):
            if not (folder / TEXTS / path.name).exists():
                write_atomically(folder / TEXTS / path.name, path.read_bytes())


def _forget_texts(folder: Path) -> None:
    wanted = {name for path in folder.glob("*.jsonl") for name in _texts_of(_lines(path))}
    for path in (folder / TEXTS).glob("*"):
        if path.name.partition(".")[0] not in wanted:
            path.unlink()
