"""A sighting of the flight recorder as the diary wants it: who loaded what, and what came of it."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from verifier_diary.classifier import Verdict, classify
from verifier_diary.model import Attempt, Layer, Program, Stats, parse_stats
from verifier_diary.origin import Kernel, Origin, Toolchain
from verifier_diary.retries import Sighting

_SAYS_NOTHING = ("no_message", "unclassified", "loader")


class Outcome(StrEnum):
    """What came of a load."""

    REJECTED = "rejected"
    ACCEPTED = "accepted"
    PERMISSION = "permission"  # the process may not load: nobody judged the program
    LOG = "log"  # the buffer was too small for the log: the verdict is not known


@dataclass(frozen=True, slots=True)
class Recorded:
    """One load as its loader meant it."""

    outcome: Outcome
    attempt: Attempt
    message: str
    loads: int  # tries that it took
    uid: int
    tid: int
    time_ns: int  # CLOCK_MONOTONIC

    @property
    def error(self) -> str | None:
        """Return the name of the error number."""
        number = self.attempt.errno
        return errno.errorcode.get(number, str(number)) if number else None

    def to_json(self) -> dict[str, Any]:
        """Return the record of `lab diary watch --format jsonl`."""
        attempt = self.attempt.scrubbed()
        return {
            "outcome": str(self.outcome),
            "time": attempt.time,
            "pid": attempt.origin.pid,
            "tid": self.tid,
            "uid": self.uid,
            "comm": attempt.origin.comm,
            "argv": list(attempt.origin.argv),
            "test": attempt.origin.test,
            "program": attempt.program.function or None,
            "type": attempt.program.type,
            "instructions": attempt.insn_count,
            "instructions_sha256": attempt.instructions_sha256,
            "errno": attempt.errno,
            "error": self.error,
            "layer": attempt.layer,
            "message": self.message,
            "loads": self.loads,
            "log_level": attempt.log_level,
            "log_true_size": attempt.log_true_size,
            "truncated": attempt.truncated,
            "attempt": attempt.id,
            "log": attempt.log,
        }


def recorded(sighting: Sighting) -> Recorded:
    """Judge a sighting, and make an attempt of it."""
    last, told = sighting.last, sighting.told
    verdict = classify(told.log, errno=last.errno) if last.errno else None
    outcome = _outcome(sighting, verdict)
    process = sighting.process
    attempt = Attempt(
        Program(function=sighting.name, type=last.type),
        accepted=outcome is Outcome.ACCEPTED,
        time=_wall_clock(last.time_ns),
        layer=_layer(sighting, verdict) if outcome is Outcome.REJECTED else None,
        errno=last.errno or None,
        log=told.log,
        log_level=told.log_level,
        truncated=told.log_cut or told.errno == errno.ENOSPC,
        log_true_size=told.log_true_size,
        stats=_stats(told.log, last.verified),
        insn_count=last.instruction_count,
        instructions_sha256=sighting.code_sha256,
        origin=Origin(process.argv, process.test, last.tgid, last.comm),
        kernel=Kernel.here(),
        toolchain=Toolchain(loader=last.comm),
    )
    message = _message(outcome, sighting, verdict)
    return Recorded(
        outcome, attempt, message, len(sighting.tries), last.uid, last.tid, last.time_ns
    )


# Who loads without a log is told nothing, but the kernel has counted.
def _stats(log: str, verified: int | None) -> Stats:
    stats = parse_stats(log)
    return replace(stats, instructions=verified) if verified and not stats.instructions else stats


def _outcome(sighting: Sighting, verdict: Verdict | None) -> Outcome:
    last = sighting.last
    if last.accepted:
        return Outcome.ACCEPTED
    if last.errno == errno.EPERM and not sighting.told.log.strip():
        allowed = last.uid == 0 if last.may_load is None else last.may_load
        return Outcome.REJECTED if allowed else Outcome.PERMISSION
    # The kernel says so of accepted programs too; what it keeps of the log may tell.
    if last.errno == errno.ENOSPC and (not verdict or verdict.class_id in _SAYS_NOTHING):
        return Outcome.LOG
    return Outcome.REJECTED


# Without a log only the number tells, and nobody but the verifier says EACCES.
def _layer(sighting: Sighting, verdict: Verdict | None) -> Layer | None:
    if not sighting.told.log_level and sighting.last.errno == errno.EACCES:
        return Layer.VERIFIER
    return verdict.layer if verdict else None


def _message(outcome: Outcome, sighting: Sighting, verdict: Verdict | None) -> str:
    if outcome is Outcome.ACCEPTED:
        return "accepted"
    if outcome is Outcome.PERMISSION:
        return "the process may not load programs"
    if outcome is Outcome.LOG:
        return "the log did not fit its buffer: accepted or not is not known"
    if sighting.told.log.strip() and verdict and verdict.message:
        return verdict.message
    why = "the kernel wrote no log" if sighting.told.log_level else "the loader asked for no log"
    return f"{os.strerror(sighting.last.errno)} ({why})"


def _wall_clock(monotonic_ns: int) -> str:
    since = (time.monotonic_ns() - monotonic_ns) / 1e9
    when = datetime.fromtimestamp(time.time() - since, UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
