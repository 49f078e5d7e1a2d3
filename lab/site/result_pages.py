"""The results, out of the tables in docs/results/; no number on them is typed."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.evaluation.claims import FILE, Claim, read

RESULTS = Path(__file__).resolve().parents[2] / "docs/results"
Row = Mapping[str, Any]


def pages() -> dict[str, str]:
    """Return the claims' page and the tables' page."""
    return {"results/claims.md": _claims(read(FILE)), "results/accuracy.md": _accuracy()}


def _claims(claims: Sequence[Claim]) -> str:
    verdicts = _verdicts()
    parts = [
        "# Claims\n",
        "What the project claims, and what the last full check said of it. "
        "`lab eval check` measures all of it again.\n",
        "| claim | last check |\n|---|---|",
        *(f"| [{c.id}](#{c.id}) | {verdicts.get(c.id, 'not run')} |" for c in claims),
        "",
    ]
    return "\n".join(parts + [_claim(claim, verdicts.get(claim.id)) for claim in claims])


def _claim(claim: Claim, verdict: str | None) -> str:
    lines = [
        f"## {claim.id}\n",
        f"{claim.statement}\n",
        f"- Scope: {claim.scope}",
        f"- Command: `{claim.command}`",
        f"- Tolerance: {claim.tolerance}",
        f"- Last check: {verdict or 'not run'}",
    ]
    if claim.not_met:
        lines += ["", "Where it does **not** hold:", "", *_not_met(claim.not_met)]
    return "\n".join(lines) + "\n"


def _not_met(entries: Sequence[Row]) -> list[str]:
    head = ["| workload | key | measure | measured |", "|---|---|---|---|"]
    return head + [
        f"| {e['workload']} | {e['key']} | {e['measure']} | {e['measured']} |" for e in entries
    ]


def _verdicts() -> dict[str, str]:
    path = RESULTS / "verdicts.json"
    if not path.is_file():
        return {}
    return {row["claim"]: row["verdict"] for row in json.loads(path.read_text("utf-8"))["claims"]}


COLUMNS = {
    "workload": "workload",
    "key": "key",
    "sketch": "sketch",
    "share": "share of the hash map",
    "one_minus_are": "1 - ARE",
    "weighted": "weighted",
    "heavy_hitter_f1": "F1",
    "top100_are": "top-100 ARE",
}


def _accuracy() -> str:
    path = RESULTS / "accuracy-summary.csv"
    head = "# Accuracy\n\nOne epoch per window, two CPUs and two buffers counted, keys steered.\n"
    if not path.is_file():
        return f"{head}\nNo full run has been published yet: `lab eval run --full` makes one.\n"
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if _shown(row)]
    lines = [f"| {' | '.join(COLUMNS.values())} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(_cell(row[name]) for name in COLUMNS)} |" for row in rows]
    return f"{head}\n" + "\n".join(lines) + "\n"


def _shown(row: Row) -> bool:
    return (row["reference"], row["instances"], row["steering"]) == ("hash", "2", "steered")


def _cell(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text or "-"
