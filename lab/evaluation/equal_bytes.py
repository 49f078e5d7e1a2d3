"""Every sketch alone in the same memory: `python -m lab.evaluation.equal_bytes [src|flow]`.

One instance, one buffer, 2.5 M packets, at shares of the hash map that has room for just the
window's keys. `lab eval run` compares them as deployed, with every buffer and CPU counted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

SHARES = (40, 20, 10)  # 1/40 of the baseline's memory, and so on
_EVERY_KEY = 1 << 40


def rows(
    key: str = "src",
    *,
    traffic: str = "caida-2016",
    packets: int = 2_500_000,
    seed: int = 1,
    sketch_seed: int = 7,
    sketches: Sequence[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Measure each sketch at each share of the baseline's memory."""
    from lab.evaluation.budgets import budget_of
    from simulator import metrics
    from simulator.layout import KEYS
    from simulator.sketches import SKETCHES
    from simulator.traffic import generate

    stream = generate(traffic, packets, seed, key=KEYS[key]).keys
    keys, true, _ = metrics.truth(stream)
    baseline = budget_of("hash", len(keys), key)
    for share in SHARES:
        for name in sketches or SKETCHES:
            sketch = SKETCHES[name].for_memory(baseline // share, KEYS[key].words, sketch_seed)
            sketch.update(stream)
            found = sketch.top(_EVERY_KEY)
            accuracy = metrics.accuracy(keys, true, sketch.estimate(keys), found=found)
            yield {
                "sketch": name,
                "share": f"1/{share}",
                "bytes": sketch.memory,
                "keys": len(keys),
                "one_minus_are": accuracy.one_minus_are,
                "weighted": accuracy.weighted,
                "heavy_hitter_f1": accuracy.heavy_hitter_f1,
                "top100_are": accuracy.top100_are,
                "wmre": accuracy.wmre,
            }


def main(arguments: Sequence[str]) -> None:
    """Print the rows."""
    from lab.output import Format, Report, write

    write(Report(1, list(rows(*arguments))), Format.TABLE)


if __name__ == "__main__":
    main(sys.argv[1:])
