"""The papers' numbers beside ours, as rows: `python -m lab.evaluation.published`.

Rows: sketch, paper, place, setting, metric, published, low, high, ours, verdict, source, seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"


def rows(seed: int = 1, sketches: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Measure every published number, or those of some sketches; about a minute for all."""
    from simulator.published import PUBLISHED, reproduce

    for published in PUBLISHED:
        if sketches is not None and published.sketch not in sketches:
            continue
        start = time.perf_counter()
        result = reproduce(published, seed)
        yield {
            "sketch": published.sketch,
            "paper": published.paper,
            "place": published.place,
            "setting": published.setting,
            "metric": published.metric,
            "published": published.value,
            "low": published.low,
            "high": published.high,
            "ours": result.ours,
            "verdict": REPRODUCED if result.reproduced else NOT_REPRODUCED,
            "source": published.source,
            "seed": seed,
            "seconds": time.perf_counter() - start,
        }


def main() -> None:
    """Print the rows."""
    from lab.output import Format, Report, write

    columns = ("sketch", "metric", "published", "low", "high", "ours", "verdict", "seconds")
    write(Report(1, list(rows()), columns=columns), Format.TABLE)


if __name__ == "__main__":
    main()
