"""Check how fast the simulator counts, beside the libraries that people use."""

from __future__ import annotations

from lab.evaluation.checks import Context
from lab.evaluation.claims import Claim, Finding, Verdict


def check(claim: Claim, context: Context) -> list[Finding]:
    """Compare `lab bench --simulator`'s ratios with `settings.at_least` (peer = factor)."""
    from lab.bench import simulated

    missing = simulated.missing(simulated.PEERS)
    rows = {
        row["subject"]: row
        for row in simulated.rows(10, context.seed, lambda steps=1: None, simulated.PEERS)
    }
    found = []
    for peer, bound in claim.settings["at_least"].items():
        case = f"{peer}: times slower than the simulator's count-min"
        if peer in missing or peer not in rows:
            why = missing.get(peer, "it was not measured")
            found.append(Finding(case, Verdict.NOT_RUN, None, f">= {bound}", str(why)))
            continue
        factor = rows[peer]["simulator_is_faster"]
        verdict = Verdict.REPRODUCED if factor >= bound else Verdict.NOT_REPRODUCED
        found.append(Finding(case, verdict, factor, f">= {bound}"))
    return found
