"""Put a verification in the forms that the command prints."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab.errors import CheckFailed
from lab.output import Report
from lab.verify.changes import names
from lab.verify.check import Verdict, Verification
from lab.verify.watch import Round
from verifier_diary.model import Layer

SCHEMA = 1
_WHO = {
    Layer.LIBBPF: "libbpf",
    Layer.KERNEL: "the kernel, before it was verified",
    Layer.VERIFIER: "the verifier",
    Layer.LIMIT: "the verifier, which gave up",
}


def for_programs(verification: Verification, environment: dict[str, Any]) -> Report:
    """Return everything, a row for each program."""
    metadata = {
        "file": str(verification.path),
        "accepted": not verification.rejected,
        "environment": environment,
    }
    return Report(SCHEMA, rows(verification), metadata)


def rows(verification: Verification) -> list[dict[str, Any]]:
    """Return a record for each program."""
    return [_row(verdict) for verdict in verification.verdicts]


# `class` is no name for a field in Python, and the report is what the other fields say, in words.
def _row(verdict: Verdict) -> dict[str, Any]:
    record = asdict(verdict)
    del record["report"]
    return {"class" if name == "class_id" else name: value for name, value in record.items()}


def for_people(verification: Verification) -> Report:
    """Return the table: verdicts and numbers; what takes lines of text is in `details`."""
    several = len({verdict.object for verdict in verification.verdicts}) > 1
    return Report(
        SCHEMA,
        [
            {
                **({"object": verdict.object} if several else {}),
                "program": verdict.program,
                "section": verdict.section,
                "verdict": "accepted" if verdict.accepted else "rejected",
                "instructions": verdict.instructions,
                "states": verdict.states,
                "peak_states": verdict.peak_states,
                "stack": verdict.stack,
            }
            for verdict in verification.verdicts
            if verdict.layer != Layer.COMPILER
        ],
    )


def details(verification: Verification, *, full_log: bool) -> Iterator[str]:
    """Yield what is to be said about single programs: why it was rejected, and the whole log."""
    called = names(verification.verdicts)
    for name, verdict in zip(called, verification.verdicts, strict=True):
        if verdict.layer == Layer.COMPILER:
            continue
        if not verdict.accepted:
            yield "\n".join(_why(name, verdict))
        if full_log:
            yield f"the whole log of {name}:\n{(verdict.log or '').rstrip()}"


def failure(verification: Verification, *, full_log: bool) -> CheckFailed | None:
    """Return the error that the command ends with; None if all is well."""
    rejected, all_of_them = len(verification.rejected), len(verification.verdicts)
    path = shlex.quote(str(verification.path))
    if not verification.compiled:
        return CheckFailed(
            f"clang refused {verification.path}",
            try_=f"mend it; `lab verify {path} --watch` looks again at every save",
        )
    if not rejected:
        return None
    return CheckFailed(
        f"{rejected} of {all_of_them} program{'s' * (all_of_them > 1)} "
        f"in {verification.path} rejected",
        try_=None if full_log else f"`lab verify {path} --full-log` shows the whole log",
    )


def round_for_people(watched: Path, this: Round) -> Iterator[str]:
    """Yield what a round after a save brought, as lines of text."""
    names = ", ".join(dict.fromkeys(path.name for path in this.saved))
    yield f"{names or watched.name} saved:"
    if this.problem is not None:
        yield f"  {this.problem}"
    elif this.verification and not this.verification.compiled:
        yield "  clang refused it"
    for name, change in this.changes.items():
        yield f"  {name}: {change}"


def round_for_programs(this: Round) -> list[dict[str, Any]]:
    """Return a round's records: a row for each program, or one that names the problem."""
    if this.verification is None:
        return [{"round": this.number, "problem": str(this.problem)}]
    called = names(this.verification.verdicts)
    return [
        {"round": this.number, "change": this.changes.get(name), **row}
        for name, row in zip(called, rows(this.verification), strict=True)
    ]


def _why(name: str, verdict: Verdict) -> Iterator[str]:
    who = _WHO[Layer(verdict.layer or Layer.KERNEL)]
    yield f"{name} ({verdict.section}) was rejected by {who}:"
    yield verdict.report or verdict.message or "no message"
