"""Check what a flood that overflows the baseline costs: heavy hitters lost, packets lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.evaluation.budgets import budget_of
from lab.evaluation.checks import Context
from lab.evaluation.claims import Claim, Finding, Verdict
from lab.evaluation.deployment import Conditions, deploy_tfm
from lab.evaluation.plan import TENTH
from lab.evaluation.subjects import subject
from lab.evaluation.workloads import Window, preset
from simulator import metrics

FLOOD = "spoofed-flood"
PACKETS = 1_000_000


def check(claim: Claim, context: Context) -> list[Finding]:
    """Give the hash map room for the calm keys; then let a flood of new sources come.

    Findings, per seed: the heavy hitters that are not found in the TFM, which has a tenth of the
    memory of a hash map for all keys; those that the overflown hash map no longer has, for
    comparison; and the TFM's packet accounts.
    """
    seeds = range(context.seed, context.seed + (2 if context.smoke else 10))
    return [finding for seed in seeds for finding in _of_seed(seed)]


def _of_seed(seed: int) -> list[Finding]:
    window = preset(FLOOD, PACKETS).window(seed)
    keys = window.keys("src")
    distinct, packets, _ = metrics.truth(keys)
    calm = len(metrics.truth(keys[: int(0.3 * PACKETS)])[0])  # the flood begins there
    baseline, whole = (budget_of("hash", count, "src") for count in (calm, len(distinct)))
    tfm = deploy_tfm(window, distinct, Conditions("src", int(TENTH * whole), seed=seed))
    hash_map = subject("hash")(window, distinct, Conditions("src", baseline))
    found = [_lost(distinct, packets, answer.found) for answer in (tfm, hash_map)]
    return [
        _finding(f"seed {seed}: heavy hitters that the TFM lost", found[0], 0),
        Finding(
            f"seed {seed}: heavy hitters that the full baseline lost",
            Verdict.REPRODUCED,
            found[1],
            "for comparison",
        ),
        _finding(f"seed {seed}: ledger difference of the TFM", _ledger(window, tfm.packets), 0),
    ]


def _lost(
    keys: NDArray[np.uint64],
    packets: NDArray[np.uint64],
    found: tuple[NDArray[np.uint64], NDArray[np.generic]] | None,
) -> float:
    assert found is not None
    heavy = packets >= metrics.HEAVY_SHARE * packets.sum()
    named = {bytes(key) for key in np.ascontiguousarray(found[0])}
    return float(sum(bytes(key) not in named for key in np.ascontiguousarray(keys[heavy])))


def _ledger(window: Window, counted: int | None) -> float:
    return float(len(window.flows) - (counted or 0))


def _finding(case: str, measured: float, bound: float) -> Finding:
    verdict = Verdict.REPRODUCED if measured <= bound else Verdict.NOT_REPRODUCED
    return Finding(case, verdict, measured, f"= {bound:g}")
