"""Check claims: measure what they need, judge each, tell the reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.evaluation.checks import Context, check
from lab.evaluation.claims import Claim, Finding, Verdict, overall
from lab.evaluation.evaluation import Run, evaluate
from lab.evaluation.subjects import TFM

Row = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """A claim with its findings."""

    claim: Claim
    findings: list[Finding]

    @property
    def verdict(self) -> Verdict:
        """Return the verdict on the whole claim."""
        return overall(self.findings)

    def rows(self) -> Iterator[Row]:
        """Yield a row per finding, as the command prints them."""
        for finding in self.findings:
            yield {
                "claim": self.claim.id,
                "case": finding.case,
                "verdict": str(finding.verdict),
                "measured": finding.measured,
                "expected": finding.bound or None,
                "why": finding.why or None,
            }

    def record(self) -> Row:
        """Return the claim with its verdict."""
        counts = {str(v): sum(f.verdict is v for f in self.findings) for v in Verdict}
        return {
            "claim": self.claim.id,
            "verdict": str(self.verdict),
            "statement": self.claim.statement,
            "scope": self.claim.scope,
            "command": self.claim.command,
            "tolerance": self.claim.tolerance,
            "not_met_as_recorded": len(self.claim.not_met),
            "findings": counts,
        }


def check_all(claims: Sequence[Claim], size: str, out: Path, workers: int) -> list[Checked]:
    """Check claims one after another; the evaluation is run only if one of them reads it."""
    from lab.evaluation.workloads import provided

    captures = provided()
    rows: list[Row] = []
    if any(claim.check == "accuracy" for claim in claims):
        rows = evaluate(Run(size, out, captures, (TFM,), workers=workers)).rows
    paths = tuple(Path(workload.path) for workload in captures if workload.path)
    context = Context(size, rows, paths)
    return [Checked(claim, check(claim, context)) for claim in claims]
