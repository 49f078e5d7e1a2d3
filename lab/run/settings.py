"""All that a person may choose about a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lab.attach import How
from lab.run.address import Address
from simulator.layout import Key, Verdict
from simulator.policy import Policy

EXACT_ENTRIES = 16384  # the least; more where the threshold lets more keys into an epoch
ROOM = 1.5  # entries for each key that the budget allows: the budget is to trip, not the table
MOST_ENTRIES = 1 << 24
TOTAL_MEMORY = 2 << 20  # bytes, the least of all of Low Detail,
ONE_TFM = 256 << 10  # and for every CPU and epoch buffer
_POSSIBLE = Path("/sys/devices/system/cpu/possible")


@dataclass(frozen=True)
class RunSettings:
    """A run, as it was asked for."""

    interface: str
    key: Key
    policy: Policy
    how: How
    memory: int  # bytes of all of Low Detail
    seed: int
    verdict: Verdict = Verdict.PASS
    top: int = 10
    queries: tuple[str, ...] = ()
    duration_ns: int | None = None
    metrics: Address | None = None
    metrics_top: int = 0
    record: Path | None = None
    namespace: str | None = None


def exact_entries(threshold: int, epoch_seconds: float) -> int:
    """Return how many keys an exact table must hold for the budget to be the limit."""
    return min(MOST_ENTRIES, max(EXACT_ENTRIES, int(ROOM * threshold * epoch_seconds)))


def default_memory(instances: int) -> int:
    """Return the memory of Low Detail, in bytes, where nobody chose."""
    return max(TOTAL_MEMORY, 2 * instances * ONE_TFM)


def instances(possible: Path = _POSSIBLE) -> int:
    """Return how many instances a live data path needs: packets come on any CPU, by its number."""
    numbers = re.findall(r"\d+", possible.read_text(encoding="ascii"))
    return max(int(number) for number in numbers) + 1
