"""Check what Low Detail costs per packet, against the hash map of the same repeat."""

from __future__ import annotations

from typing import Any

from lab.errors import LabError
from lab.evaluation.checks import Context
from lab.evaluation.claims import Claim, Finding, Verdict

Row = dict[str, Any]
SMOKE_KEYS, FULL_KEYS = (1_000, 100_000), (1_000, 10_000, 100_000, 1_000_000)


def check(claim: Claim, context: Context) -> list[Finding]:
    """Run `lab bench` on the streams and subjects that the claim names.

    `settings.at_most`: stream = greatest ratio to the hash map, with 100,000 keys.
    `settings.flat`: greatest cost at any number of keys over the cost at the fewest, by stream.
    """
    flat = claim.settings.get("flat", {})
    at_most = claim.settings.get("at_most", {})
    counts = (SMOKE_KEYS if context.smoke else FULL_KEYS) if flat else (100_000,)
    try:
        rows = _bench([*at_most, *flat], counts, context)
    except LabError as problem:  # no kernel to ask, or nobody who may
        return [Finding("all", Verdict.NOT_RUN, why=f"{problem}; {problem.try_ or ''}")]
    found = [_ratio(rows, stream, float(bound)) for stream, bound in at_most.items()]
    return found + [_flat(rows, stream, float(bound)) for stream, bound in flat.items()]


def _bench(streams: list[str], counts: tuple[int, ...], context: Context) -> list[Row]:
    from lab.bench import request
    from lab.bench.run import bench

    options: Row = {
        "quick": False,
        "programs": False,
        "repeats": 10 if context.smoke else 20,
        "keys": counts,
        "streams": tuple(dict.fromkeys(streams)),
        "subjects": ("hash", "tfm"),
        "traces": (),
        "key": "src",
        "cpus": "1",
        "tfm_size": 256 << 10,
        "one_in": 100,
        "seed": context.seed,
    }
    settings, _ = request.settings(options)
    request.require_kernel()
    return [row for rows, _ in bench(settings, _nothing) for row in rows]


def _nothing(steps: float = 1) -> None:
    return None


# The interval decides: a claim of "at most" fails only where all of it is above.
def _ratio(rows: list[Row], stream: str, bound: float) -> Finding:
    row = next(r for r in rows if (r["subject"], r["keys"]) == ("tfm", stream))
    measured, low = float(row["ratio_to_hash"]), float(row["ratio_low"])
    verdict = Verdict.REPRODUCED if low <= bound else Verdict.NOT_REPRODUCED
    why = "" if verdict is Verdict.REPRODUCED else f"the interval begins at {low:.2f}"
    return Finding(f"{stream}: ratio to the hash map", verdict, measured, f"<= {bound}", why)


def _flat(rows: list[Row], stream: str, bound: float) -> Finding:
    costs = {
        r["n_keys"]: r["ns_median"] for r in rows if (r["subject"], r["keys"]) == ("tfm", stream)
    }
    growth = max(costs.values()) / costs[min(costs)]
    verdict = Verdict.REPRODUCED if growth <= bound else Verdict.NOT_REPRODUCED
    text = ", ".join(f"{n:,} keys {ns:.0f} ns" for n, ns in sorted(costs.items()))
    return Finding(f"{stream}: {text}", verdict, growth, f"<= {bound}", "")
