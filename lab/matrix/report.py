"""The matrix in the forms that the command prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab.errors import CheckFailed, EnvironmentProblem, LabError, PermissionProblem
from lab.matrix.cells import Cell, Trial, Verdict
from lab.matrix.outcome import KernelOutcome
from lab.output import Report

SCHEMA = 1
LEGEND = "accepted: instructions / states / peak states; rejected: the class"


def for_programs(outcomes: Sequence[KernelOutcome], environment: Mapping[str, Any]) -> Report:
    """Return everything: a row for each cell, tests and kernels in the metadata."""
    metadata = {
        "kernels": [outcome.record() for outcome in outcomes],
        "tests": [test.record() for outcome in outcomes for test in outcome.tests],
        "environment": environment,
    }
    return Report(SCHEMA, [c.record() for outcome in outcomes for c in outcome.cells], metadata)


def for_people(outcomes: Sequence[KernelOutcome]) -> tuple[Report, Report]:
    """Return two tables, programs x kernels and tests x kernels."""
    programs = _pivot(outcomes, "program", lambda o: {c.program: _cell(c) for c in o.cells})
    tests = _pivot(outcomes, "test", lambda o: {t.test: _test(t) for t in o.tests})
    return Report(SCHEMA, programs), Report(SCHEMA, tests)


def failure(outcomes: Sequence[KernelOutcome]) -> LabError | None:
    """Return what the command ends with; kernels that could not be asked weigh more."""
    failed = [outcome for outcome in outcomes if outcome.problem]
    different = [text for outcome in outcomes for text in outcome.differences]
    if failed:
        permission = all(o.exit_code == PermissionProblem.exit_code for o in failed)
        kind = PermissionProblem if permission else EnvironmentProblem
        return kind("; ".join(_problems(failed, different)), try_=_advice(failed))
    if different:
        return CheckFailed(
            f"{len(different)} results are not as expected: {different[0]}",
            try_="a change of ours: mend it; a kernel's own way: say so in the file of its series",
        )
    return None


def _problems(failed: Sequence[KernelOutcome], different: Sequence[str]) -> Iterator[str]:
    yield from (f"{o.name}: {o.problem.text}" for o in failed if o.problem)
    if different:
        yield f"and {len(different)} results of the others are not as expected"


def _advice(failed: Sequence[KernelOutcome]) -> str | None:
    advice = [o.problem.try_ for o in failed if o.problem and o.problem.try_]
    return "; ".join(dict.fromkeys(advice)) or None


def _pivot(outcomes: Sequence[KernelOutcome], head: str, column: Any) -> list[dict[str, Any]]:
    columns = {_title(outcome): column(outcome) for outcome in outcomes}
    names = dict.fromkeys(name for cells in columns.values() for name in cells)
    return [
        {head: name, **{title: cells.get(name) for title, cells in columns.items()}}
        for name in names
    ]


def _title(outcome: KernelOutcome) -> str:
    return f"{outcome.name} ({outcome.release or 'no answer'})"


def _cell(cell: Cell) -> str:
    if cell.verdict is Verdict.ACCEPTED:
        numbers = (cell.instructions, cell.states, cell.peak_states)
        return " / ".join("?" if number is None else f"{number:,}" for number in numbers)
    return cell.class_id or str(cell.verdict)


def _test(test: Trial) -> str:
    if test.verdict == "passed":
        return f"passed ({test.packets:,} packets, {test.bytes:,} bytes)"
    return test.verdict
