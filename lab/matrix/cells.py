"""One program on one kernel: accepted, rejected, or an error with its reason; never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from lab.matrix.programs import Listed
from lab.matrix.results import Results
from lab.verify.check import verdict_of
from verifier_diary.model import Attempt


class Verdict(StrEnum):
    """What came of one program."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ERROR = "error"  # there is no verdict


@dataclass(frozen=True)
class Cell:
    """One row of the data; what does not apply is None."""

    kernel: str  # its name in the list
    release: str | None
    program: str
    verdict: Verdict
    instructions: int | None = None  # processed by the verifier
    states: int | None = None
    peak_states: int | None = None
    class_id: str | None = None
    message: str | None = None
    layer: str | None = None  # who refused
    errno: int | None = None
    source_line: str | None = None
    attempt: str | None = None  # its id in the journal, for `lab diary diff`

    def record(self) -> dict[str, Any]:
        """Return it as programs read it."""
        return {"class" if n == "class_id" else n: value for n, value in asdict(self).items()}

    @property
    def finding(self) -> str:
        """Return `accepted`, `error`, or the class of the rejection: what an expectation names."""
        return self.class_id or "unknown" if self.verdict is Verdict.REJECTED else str(self.verdict)


def cell(kernel: str, program: str, attempt: Attempt) -> Cell:
    """Return the cell of a program that was judged."""
    verdict = verdict_of(attempt)
    return Cell(
        kernel,
        attempt.kernel.release,
        program,
        Verdict.ACCEPTED if attempt.accepted else Verdict.REJECTED,
        instructions=verdict.instructions,
        states=verdict.states,
        peak_states=verdict.peak_states,
        class_id=verdict.class_id,
        message=verdict.message,
        layer=verdict.layer,
        errno=verdict.errno,
        source_line=verdict.source_line,
        attempt=attempt.id,
    )


def cells(
    kernel: str,
    programs: Sequence[Listed],
    results: Results,
    attempts: dict[int, Attempt],
    why_missing: str | None,
) -> list[Cell]:
    """Return a cell for each program; one of which nothing arrived is an error that says why."""
    release = results.kernel["release"] if results.kernel else None
    found = []
    for number, program in enumerate(programs):
        if number in attempts:
            found.append(cell(kernel, program.name, attempts[number]))
            continue
        record = results.attempts.get(number, {})
        reason = record.get("trouble") or why_missing or "the guest said nothing about it"
        found.append(Cell(kernel, release, program.name, Verdict.ERROR, message=reason))
    return found


@dataclass(frozen=True)
class Trial:
    """One test on one kernel."""

    kernel: str
    release: str | None
    test: str
    verdict: str  # passed, failed, error
    packets: int
    bytes: int  # compared
    message: str | None
    facts: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Return it as programs read it."""
        return asdict(self)


def trials(
    kernel: str, names: Sequence[str], results: Results, why_missing: str | None
) -> list[Trial]:
    """Return a cell for each test; one of which nothing arrived is an error that says why."""
    release = results.kernel["release"] if results.kernel else None
    found = []
    for name in names:
        record = results.tests.get(name)
        if record is None:
            reason = why_missing or "the guest said nothing about it"
            record = {"verdict": "error", "packets": 0, "bytes": 0, "message": reason, "facts": {}}
        values = {key: record[key] for key in ("verdict", "packets", "bytes", "message", "facts")}
        found.append(Trial(kernel, release, name, **values))
    return found
