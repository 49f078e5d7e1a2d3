"""What is wrong with one kernel's run, in the words of who has to mend it; None if nothing is."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from lab.matrix.results import Results


@dataclass(frozen=True)
class Problem:
    """Why a kernel's results are missing, or not to be trusted."""

    text: str
    try_: str | None = None


@dataclass(frozen=True)
class Evidence:
    """All that a run left."""

    results: Results
    seconds: float
    answer_limit: float
    limit: float
    alarms: tuple[str, ...] = ()
    timed_out: bool = False
    engine: str | None = None  # qemu's own words, where it would not run
    console: str | None = None  # where the console was written to


def problem(evidence: Evidence) -> Problem | None:
    """Return the first thing that is wrong, from the engine up to the kernel's own warnings."""
    results = evidence.results
    look = f"look at {evidence.console}" if evidence.console else None
    if evidence.engine:
        return Problem(f"qemu did not run: {evidence.engine}", "run the same qemu by hand")
    if not results.started:
        return Problem(_no_answer(evidence), look)
    if results.exit_code is None:
        return Problem(_no_end(evidence), look)
    if results.exit_code != 0:
        return Problem(f"the guest's program ended with {_code(results.exit_code)}", look)
    if results.damaged:
        return Problem(
            f"{len(results.damaged)} results arrived damaged: {results.damaged[0]}",
            "run it again",
        )
    if results.kernel is None:
        return Problem("the guest did not say which kernel it is", look)
    if not results.kernel["btf"]:
        return Problem(
            "the kernel has no BTF (/sys/kernel/btf/vmlinux), so it cannot load these programs",
            "another build of it, with CONFIG_DEBUG_INFO_BTF=y",
        )
    if evidence.alarms:
        return Problem(f"the kernel warned: {evidence.alarms[0]}", look)
    return None


def _no_answer(evidence: Evidence) -> str:
    if evidence.alarms:
        return f"the kernel crashed before the guest answered: {evidence.alarms[-1]}"
    if evidence.timed_out:
        return f"the guest never answered, in {evidence.answer_limit:g} s"
    return "the guest went off without an answer"


def _no_end(evidence: Evidence) -> str:
    if evidence.alarms:
        return f"the kernel crashed: {evidence.alarms[-1]}"
    if evidence.timed_out:
        return f"the guest did not finish within {evidence.limit:g} s"
    return "the guest went off without an exit code"


# A shell adds 128 to a signal's number.
def _code(code: int) -> str:
    try:
        return f"{code} ({signal.Signals(code - 128).name})" if code > 128 else str(code)
    except ValueError:
        return str(code)
