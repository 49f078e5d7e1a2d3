"""Score finished epochs against exact truth, and add the accounts up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lab.controller import FinishedEpoch
from simulator import metrics
from simulator.estimate import estimate, heavy_keys
from simulator.layout import Detail, Key, Outcome
from simulator.ledger import EMPTY, Ledger
from simulator.metrics import Accuracy
from simulator.parsing import Parsed
from simulator.tally import Tally


@dataclass
class Score:
    """Truth, ledger and accuracy of a run so far; epochs without IP packets have no accuracy."""

    key: Key
    ledger: Ledger = EMPTY
    accuracies: list[Accuracy] = field(default_factory=list)
    epochs: int = 0
    low_epochs: int = 0
    saturated: int = 0

    def __post_init__(self) -> None:
        """Start with no packets."""
        self._epoch_truth, self._truth = Tally(self.key.words), Tally(self.key.words)

    @property
    def keys(self) -> int:
        """Return the distinct keys of all scored epochs, by exact truth."""
        return len(self._truth)

    def add(self, parsed: Parsed) -> None:
        """Count packets of the running epoch."""
        ip = parsed.outcomes == Outcome.IP
        keys, sizes = parsed.keys(self.key)[ip], parsed.lengths[ip].astype(np.uint64)
        self._epoch_truth.add(keys, np.ones(len(keys), np.uint64), sizes)

    def epoch(self, finished: FinishedEpoch) -> None:
        """Score an epoch that holds just the packets added since the last one."""
        retired = finished.retired
        keys, packets, sizes = self._epoch_truth.counts()
        self._epoch_truth = Tally(self.key.words)
        self._truth.add(keys, packets, sizes)
        self.epochs += 1
        self.low_epochs += finished.detail is Detail.LOW
        self.saturated += int(retired.headers["saturated"].sum())
        ledger = finished.ledger
        self.ledger += ledger
        if not len(keys):
            return
        heavy = heavy_keys(retired)
        found = (heavy, estimate(retired, heavy).packets) if ledger.sketched else None
        self.accuracies.append(
            metrics.accuracy(
                keys,
                packets,
                estimate(retired, keys).packets,
                found=found,
                cardinality=finished.cardinality,
            )
        )

    @property
    def accuracy(self) -> Accuracy:
        """Return the mean over the epochs that had packets."""
        return Accuracy.mean(self.accuracies)
