"""Score a recording against exact truth: every packet offered is known, and so is their order.

The link has one queue, so the n-th packet that the data path saw is the n-th that was offered,
unless the link dropped some. Then it is not known which, and the order is stretched over the gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lab.demo.recording import PhaseEpoch, Recording, Sample
from lab.demo.scenario import Scenario
from lab.replay.score import Score
from simulator.estimate import known_keys
from simulator.layout import Outcome
from simulator.ledger import Ledger
from simulator.metrics import Accuracy
from simulator.parsing import Parsed, parse
from simulator.policy import SECOND_NS
from simulator.tally import Tally

CHUNK = 1 << 18  # packets made at a time


@dataclass(frozen=True)
class Tick:
    """What happened between two looks at the data path."""

    sample: Sample  # the later look
    seconds: float
    packets: int
    new_keys: int  # not yet seen in their epoch, by exact truth


@dataclass(frozen=True)
class ScoredEpoch:
    """A finished epoch beside its truth."""

    epoch: PhaseEpoch
    ledger: Ledger
    keys: int  # by exact truth
    known_keys: int  # that the data path can name
    accuracy: Accuracy | None  # None: it had no IP packets


@dataclass
class Scored:
    """A recording with its truth: as a whole, by phase, by epoch and by tick."""

    total: Score
    phases: list[Score]
    exact: bool  # the truth: the link dropped nothing
    epochs: list[ScoredEpoch] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)


def score(scenario: Scenario, recording: Recording) -> Scored:
    """Make all packets again, and compare what the data path says with them."""
    return _Scorer(scenario, recording).run()


class _Scorer:
    def __init__(self, scenario: Scenario, recording: Recording) -> None:
        self._key = recording.settings.geometry.key
        self._scenario, self._recording = scenario, recording
        phases = [Score(self._key) for _ in recording.offered]
        exact = not any(offered.dropped for offered in recording.offered)
        self._scored = Scored(Score(self._key), phases, exact)
        # Packets seen at the ends of epochs, at all looks, and at the starts of phases.
        self._ends = np.cumsum([0, *(epoch.seen for epoch in recording.epochs)])
        looks = [sample.seen for sample in recording.samples]
        self._cuts = np.unique([*self._ends, *looks])
        seen = [recording.seen_in(phase) for phase in range(len(phases))]
        self._starts = np.cumsum([0, *seen])
        self._new = np.zeros(len(self._cuts), np.int64)  # keys new in their epoch, up to each cut

    def run(self) -> Scored:
        for epoch, (begin, end) in zip(self._recording.epochs, pairwise(self._ends), strict=True):
            keys = self._replay(epoch.phase, int(begin), int(end))
            self._finish(epoch, keys)
        self._scored.ticks = list(self._ticks())
        return self._scored

    # Adds an epoch's packets to the truths, up to each look in turn; returns its distinct keys.
    def _replay(self, phase: int, begin: int, end: int) -> int:
        keys = Tally(self._key.words)
        first, last = np.searchsorted(self._cuts, [begin, end])
        for cut in range(first, last):
            before = len(keys)
            for parsed in self._packets(phase, int(self._cuts[cut]), int(self._cuts[cut + 1])):
                self._scored.total.add(parsed)
                self._scored.phases[phase].add(parsed)
                _add(keys, parsed.keys(self._key)[parsed.outcomes == Outcome.IP])
            self._new[cut + 1] = self._new[cut] + len(keys) - before
        return len(keys)

    def _packets(self, phase: int, begin: int, end: int) -> Iterator[Parsed]:
        start, stop = (self._place(phase, seen) for seen in (begin, end))
        stream = self._scenario.phases[phase].stream
        for at in range(start, stop, CHUNK):
            yield parse(stream.frames(at, min(at + CHUNK, stop)))

    # The place in a phase's stream of the packet after so many seen ones.
    def _place(self, phase: int, seen: int) -> int:
        offset = seen - int(self._starts[phase])
        if not self._recording.offered[phase].dropped:
            return offset
        whole = int(self._starts[phase + 1] - self._starts[phase])
        return round(offset * self._recording.offered[phase].packets / max(whole, 1))

    def _finish(self, epoch: PhaseEpoch, keys: int) -> None:
        total, finished = self._scored.total, epoch.finished
        scored = len(total.accuracies)
        total.epoch(finished)
        self._scored.phases[epoch.phase].epoch(finished)
        accuracy = total.accuracies[-1] if len(total.accuracies) > scored else None
        known = len(known_keys(finished.retired))
        self._scored.epochs.append(ScoredEpoch(epoch, finished.ledger, keys, known, accuracy))

    def _ticks(self) -> Iterator[Tick]:
        samples = self._recording.samples
        places = np.searchsorted(self._cuts, [sample.seen for sample in samples])
        start_ns, seen, new = self._recording.start_ns, 0, 0
        for sample, place in zip(samples, places, strict=True):
            so_far = int(self._new[place])
            seconds = (sample.time_ns - start_ns) / SECOND_NS
            yield Tick(sample, seconds, sample.seen - seen, so_far - new)
            start_ns, seen, new = sample.time_ns, sample.seen, so_far


def _add(tally: Tally, keys: NDArray[np.uint64]) -> None:
    ones = np.ones(len(keys), np.uint64)
    tally.add(keys, ones, ones)
