"""An hour in seconds: calm, flood, flash crowd, churn and a stall, recorded and decided again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from lab.recorded import first_difference, replay
from simulator.layout import Detail
from simulator.policy import EpochChange, Policy
from tests.rig import START_NS, Rig

POLICY = Policy(threshold=2000, exact_entries=4096)
TICKS = 36_000
CALM = np.arange(500, dtype=np.uint64)
STALL = (30_000, 30_100)  # ticks in which user space is stopped


def load(number: int) -> np.ndarray:
    """Return the keys of one tick: calm, and once in a while something else."""
    minute, within = number // 600, number % 600
    fresh = np.uint64(1_000_000 + number * 10_000)
    if minute % 10 == 2 and within < 50:  # flood: new sources only
        return fresh + np.arange(3000, dtype=np.uint64)
    if minute % 10 == 5 and within < 300:  # flash crowd: the same many keys, over and over
        return np.uint64(500_000) + np.arange(5000, dtype=np.uint64)
    if minute % 10 == 8:  # churn: a steady rate of new keys below the threshold
        return fresh + np.arange(120, dtype=np.uint64)
    return CALM[: 100 + number % 400]


@dataclass
class Hour:
    """The run and what it left."""

    rig: Rig = field(default_factory=lambda: Rig(POLICY, cells=2048, buckets=8, live=True))

    def run(self) -> None:
        for number in range(1, TICKS + 1):
            now = START_NS + number * POLICY.tick_ns
            if STALL[0] <= number < STALL[1]:
                self.rig.feed(load(number), now)
            else:
                self.rig.send(load(number), now)

    def log(self) -> Iterator[str]:
        for entry in self.rig.controller.log:
            yield entry.cause


@pytest.fixture(scope="module")
def hour() -> Hour:
    hour = Hour()
    hour.run()
    return hour


def test_policy_decides_the_same_tick_by_tick(hour: Hour) -> None:
    ticks = hour.rig.ticks
    seen, decided = [t.observation for t in ticks], [t.decision for t in ticks]
    assert len(ticks) > TICKS - (STALL[1] - STALL[0])
    assert first_difference(hour.rig.controller.policy, seen, decided) is None
    logs = [entry for _, log in replay(hour.rig.controller.policy, seen) for entry in log]
    assert logs == hour.rig.controller.log


def test_every_flood_and_crowd_trips_and_comes_back(hour: Hour) -> None:
    trips = hour.rig.changes.count(Detail.LOW)
    assert trips >= 12
    assert hour.rig.changes.count(Detail.HIGH) == trips
    assert hour.rig.ticks[-1].detail is Detail.HIGH


def test_hour_meets_what_the_policy_is_for(hour: Hour) -> None:
    assert {"budget spent", "calm", "fill", "probe for calm"} <= set(hour.log())
    assert any(isinstance(entry, EpochChange) for entry in hour.rig.controller.log)


def test_accounts_of_the_hour_are_complete(hour: Hour) -> None:
    ledgers = [epoch.ledger for epoch in hour.rig.finished]
    assert all(ledger.difference == ledger.byte_difference == 0 for ledger in ledgers)
    assert sum(ledger.seen for ledger in ledgers) + hour.rig.path.glance().seen == hour.rig.fed


def test_stall_is_one_long_epoch(hour: Hour) -> None:
    begin, end = (START_NS + tick * POLICY.tick_ns for tick in STALL)
    inside = [e for e in hour.rig.finished if begin < e.end_ns < end + POLICY.epoch_ns]
    assert inside[0].end_ns - inside[0].begin_ns >= 10 * POLICY.epoch_ns
    assert all(b.begin_ns == a.end_ns for a, b in pairwise(hour.rig.finished))
