"""What came of one kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.errors import EnvironmentProblem, PermissionProblem
from lab.matrix.cells import Cell, Trial
from lab.matrix.verdict import Problem


@dataclass(frozen=True)
class KernelOutcome:
    """All cells of one kernel, and how they were obtained."""

    name: str
    release: str | None = None
    package: str | None = None
    accelerator: str | None = None  # kvm or tcg; None: no virtual machine
    seconds: float | None = None
    features: dict[str, bool] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    tests: tuple[Trial, ...] = ()
    problem: Problem | None = None
    exit_code: int = 0  # of the problem
    differences: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the kernel as programs read it, without its cells."""
        return {
            "kernel": self.name,
            "release": self.release,
            "package": self.package,
            "accelerator": self.accelerator,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "features": self.features,
            "problem": self.problem.text if self.problem else None,
            "differences": list(self.differences),
        }


def exit_code_of(problem: Exception) -> int:
    """Return 4 where a privilege is missing, 3 for all else that keeps a kernel unasked."""
    permission = isinstance(problem, PermissionProblem)
    return PermissionProblem.exit_code if permission else EnvironmentProblem.exit_code
