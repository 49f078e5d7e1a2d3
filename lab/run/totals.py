"""The run as a whole: accounts added up, and how long the ends of epochs took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.run.snapshot import Snapshot
from simulator.layout import Detail
from simulator.ledger import EMPTY, Ledger

KEPT_TIMINGS = 8192  # epochs, the latest: hours, in memory that does not grow


@dataclass
class Totals:
    """What has been counted since the start."""

    ledger: Ledger = EMPTY
    epochs: int = 0
    low_epochs: int = 0
    lost_epochs: int = 0  # numbers that are missing in the sequence: always 0
    saturated: int = 0
    _next: int = 0
    _timings: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((KEPT_TIMINGS, 3), np.int64)
    )

    def add(self, snapshot: Snapshot) -> None:
        """Add a finished epoch."""
        timing = snapshot.timing
        self._timings[self.epochs % KEPT_TIMINGS] = (
            timing.read_ns,
            timing.grace_ns,
            timing.cpu_ns,
        )
        self.ledger += snapshot.ledger
        self.lost_epochs += snapshot.epoch - self._next
        self._next = snapshot.epoch + 1
        self.epochs += 1
        self.low_epochs += snapshot.detail is Detail.LOW
        self.saturated += snapshot.saturated

    def epoch_read_ms(self) -> dict[str, float | None]:
        """Return median, 95th percentile and maximum of reading an epoch, without the grace."""
        return self._spread(0)

    def grace_ms(self) -> dict[str, float | None]:
        """Return the same of the grace periods."""
        return self._spread(1)

    def epoch_read_cpu_ms(self) -> dict[str, float | None]:
        """Return the same of the processor time that reading took: other processes do not count."""
        return self._spread(2)

    def _spread(self, column: int) -> dict[str, float | None]:
        kept = self._timings[: min(self.epochs, KEPT_TIMINGS), column] / 1e6
        if not len(kept):
            return dict.fromkeys(("median", "p95", "max"))
        return {
            "median": round(float(np.median(kept)), 3),
            "p95": round(float(np.percentile(kept, 95)), 3),
            "max": round(float(kept.max()), 3),
        }


def ledger_record(ledger: Ledger) -> dict[str, Any]:
    """Return the accounts as every record of a run has them."""
    return {
        "packets": ledger.seen,
        "bytes": ledger.seen_bytes,
        "exact": ledger.exact,
        "sketched": ledger.sketched,
        "not_ip": ledger.not_ip,
        "malformed": ledger.malformed,
        "ledger_difference": ledger.difference + ledger.byte_difference,
    }
