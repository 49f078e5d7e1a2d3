"""Load every program of a plan alone, run its tests, and report each result at once.

python -m lab.matrix.guest FOLDER RESULTS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lab.matrix.guest import kernel, loads, reporting
from lab.matrix.guest.reporting import Reporter


def main(folder: Path, results: Path) -> int:
    """Work through FOLDER/plan.json; returns the exit code, 0 whatever the results are."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    with results.open("ab", buffering=0) as file:
        report = Reporter(file)
        report.start()
        facts = kernel.facts()
        report.send(reporting.KERNEL, facts)
        if not facts["btf"]:
            return 0
        for number, program in enumerate(plan["programs"]):
            report.send(reporting.ATTEMPT, {"program": number, **loads.load(folder, program)})
        for test in plan["tests"]:
            report.send(reporting.TEST, _tested(folder, test))
    return 0


def _tested(folder: Path, test: dict[str, Any]) -> dict[str, Any]:
    from lab.matrix.guest import testing

    return testing.run(folder, test)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
