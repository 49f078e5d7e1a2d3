"""How claims are checked, one module per kind.

Each has `check(claim, context) -> list[Finding]`; a claim names its module in `check`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import BadInput
from lab.evaluation.claims import Claim, Finding

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Context:
    """What a check may use: the rows of an evaluation, and how much it may spend."""

    size: str  # smoke or full
    rows: Sequence[Mapping[str, Any]] = ()
    captures: tuple[Path, ...] = ()
    seed: int = 100

    @property
    def smoke(self) -> bool:
        """Say whether only minutes may be spent."""
        return self.size == "smoke"


def kinds() -> list[str]:
    """Return the kinds of check."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def check(claim: Claim, context: Context) -> list[Finding]:
    """Check one claim; raises BadInput for a kind that does not exist."""
    if claim.check not in kinds():
        raise BadInput(
            f"claim {claim.id}: there is no check {claim.check!r}",
            try_=f"one of: {', '.join(kinds())}",
        )
    module = importlib.import_module(f"{__name__}.{claim.check}")
    findings: list[Finding] = module.check(claim, context)
    return findings
