"""Check that a measure keeps its bound, for every workload and key of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.evaluation.checks import Context
from lab.evaluation.claims import Claim, Finding, Verdict
from lab.evaluation.tables import summarise

# A case that is known not to hold is reproduced if it is this near to what is recorded.
NEAR = 0.02
_POINT = ("sketch", "share", "reference", "instances", "steering")


def check(claim: Claim, context: Context) -> list[Finding]:
    """Compare the mean over the seeds with the bounds; one finding per workload, key and measure.

    `settings`: the point (sketch, share, ...), `at_least` and `at_most` (measure = bound).
    """
    settings = claim.settings
    point = {name: settings[name] for name in _POINT if name in settings}
    found: list[Finding] = []
    for row in summarise(context.rows):
        if all(row[name] == value for name, value in point.items()) and _wanted(row, settings):
            found += _findings(claim, row)
    return found or [Finding("all", Verdict.NOT_RUN, why="no workload of it was measured")]


def _wanted(row: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    workloads, keys = settings.get("workloads"), settings.get("keys")
    named = workloads is None or any(row["workload"].startswith(name) for name in workloads)
    return named and (keys is None or row["key"] in keys)


def _findings(claim: Claim, row: Mapping[str, Any]) -> list[Finding]:
    bounds = [(name, value, True) for name, value in claim.settings.get("at_least", {}).items()]
    bounds += [(name, value, False) for name, value in claim.settings.get("at_most", {}).items()]
    return [_finding(claim, row, *bound) for bound in bounds]


def _finding(
    claim: Claim, row: Mapping[str, Any], measure: str, bound: float, at_least: bool
) -> Finding:
    case = f"{row['workload']} {row['key']} {measure}"
    words = f"{'>=' if at_least else '<='} {bound}"
    measured = row[measure]
    if measured is None:
        return Finding(case, Verdict.NOT_RUN, None, words, "this measure is undefined here")
    holds = measured >= bound if at_least else measured <= bound
    recorded = _recorded(claim, row, measure)
    if recorded is None:
        verdict = Verdict.REPRODUCED if holds else Verdict.NOT_REPRODUCED
        return Finding(case, verdict, measured, words, "" if holds else "outside the bound")
    near = abs(measured - recorded) <= NEAR
    words = f"known not to be {words}: {recorded}"
    verdict = Verdict.REPRODUCED if near else Verdict.NOT_REPRODUCED
    return Finding(case, verdict, measured, words, "" if near else "not what claims.toml records")


def _recorded(claim: Claim, row: Mapping[str, Any], measure: str) -> float | None:
    for entry in claim.not_met:
        if (entry["workload"], entry["key"], entry["measure"]) == (
            row["workload"],
            row["key"],
            measure,
        ):
            return float(entry["measured"])
    return None
