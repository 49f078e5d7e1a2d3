"""Laws of policy and controller, on simulated time, with the twin as the data path."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.controller import Controller, FinishedEpoch
from lab.datapath import Batch, DatapathSettings, SimulatorDatapath
from simulator.frames import Frames
from simulator.geometry import Geometry
from simulator.layout import SRC, Detail, Setting
from simulator.ledger import balance
from simulator.parsing import Parsed
from simulator.policy import SECOND_NS, Policy

POLICY = Policy(threshold=1000, epoch_ns=SECOND_NS, tick_ns=SECOND_NS // 10, exact_entries=2000)


class Rig:
    """A controller on the twin, fed with keys by number."""

    def __init__(
        self, policy: Policy = POLICY, setting: Setting = Setting.AUTO, width: int = 4096
    ) -> None:
        self.finished: list[FinishedEpoch] = []
        geometry = Geometry(SRC, 1, 64, 3, width)
        self.path = SimulatorDatapath(DatapathSettings(geometry, policy.exact_entries, setting))
        self.controller = Controller(self.path, policy, self.finished.append, SECOND_NS)
        self.fed = 0

    def send(self, keys: np.ndarray, now_ns: int) -> None:
        """Advance the clock and send one packet of each key."""
        self.controller.advance(now_ns)
        flows = np.zeros((len(keys), 5), np.uint64)
        flows[:, 1] = keys
        parsed = Parsed(np.zeros(len(keys), np.uint8), flows, np.full(len(keys), 60, np.uint32))
        times = np.full(len(keys), now_ns, np.uint64)
        frames = Frames.from_bytes([b""] * len(keys), times)
        self.path.feed(Batch(frames, parsed, times, np.ones(len(keys), np.uint64)))
        self.fed += len(keys)

    @property
    def details(self) -> list[Detail]:
        return [epoch.detail for epoch in self.finished]


def tick(number: int) -> int:
    return SECOND_NS + number * POLICY.tick_ns


@given(count=st.integers(1, 400), epochs=st.integers(5, 9), flood=st.booleans())
@settings(max_examples=40, deadline=None)
def test_constant_keys_below_half_the_threshold_end_in_high_and_stay(
    count: int, epochs: int, flood: bool
) -> None:
    rig = Rig()
    if flood:
        rig.send(np.arange(10_000, 13_000, dtype=np.uint64), tick(0))
    keys = np.arange(count, dtype=np.uint64)
    for number in range(1, 10 * epochs):
        rig.send(keys, tick(number))
    rig.controller.finish_epoch(tick(10 * epochs))
    assert rig.details[-1] is Detail.HIGH
    assert [s.detail for s in rig.controller.switches] == (
        [Detail.LOW, Detail.HIGH] if flood else []
    )


def test_flood_trips_in_the_packet_that_spends_the_budget() -> None:
    rig = Rig()
    rig.send(np.arange(5000, dtype=np.uint64), tick(0))
    rig.controller.finish_epoch(tick(10))
    ledger = balance(rig.finished[0].retired)
    assert (ledger.exact, ledger.sketched) == (POLICY.burst, 5000 - POLICY.burst)


@given(floods=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 8)), min_size=1, max_size=25))
@settings(max_examples=40, deadline=None)
def test_any_load_keeps_the_ledger_and_never_flaps_faster_than_the_dwell(
    floods: list[tuple[int, int]],
) -> None:
    rig = Rig()
    at = first = 0
    for count, ticks in floods:
        rig.send(np.arange(first, first + count, dtype=np.uint64), tick(at))
        at += ticks
        first += count // 2
    rig.controller.finish_epoch(tick(at))
    ledgers = [balance(epoch.retired) for epoch in rig.finished]
    assert sum(ledger.seen for ledger in ledgers) == rig.fed
    assert all(ledger.difference == ledger.byte_difference == 0 for ledger in ledgers)
    for low, high in pairwise(rig.controller.switches):
        if low.detail is Detail.LOW and high.detail is Detail.HIGH:
            # The trip's own epoch counts as the first of the two.
            assert high.time_ns - low.time_ns >= (POLICY.dwell_epochs - 1) * POLICY.epoch_ns


@pytest.mark.parametrize("setting", [Setting.HIGH, Setting.LOW])
def test_forced_detail_never_switches(setting: Setting) -> None:
    rig = Rig(setting=setting)
    for number in range(50):
        rig.send(np.arange(3000, dtype=np.uint64) + number, tick(number))
    rig.controller.finish_epoch(tick(50))
    assert rig.controller.switches == []
    assert set(rig.details) == {Detail.HIGH if setting is Setting.HIGH else Detail.LOW}


def test_long_gap_does_not_walk_through_every_empty_epoch() -> None:
    rig = Rig()
    rig.send(np.arange(10, dtype=np.uint64), tick(0))
    rig.send(np.arange(10, dtype=np.uint64), tick(0) + 10**9 * SECOND_NS)
    assert len(rig.finished) < 20


def test_small_exact_table_does_not_flap_when_calm_is_too_much_for_it() -> None:
    policy = Policy(threshold=10_000, exact_entries=100)
    rig = Rig(policy)
    for number in range(100):
        rig.send(np.arange(300, dtype=np.uint64), tick(number))
    assert [s.detail for s in rig.controller.switches] == [Detail.LOW]


def test_full_sketch_is_never_taken_for_calm() -> None:
    """Linear counting on 64 counters tops out near 64 ln 64 = 266 keys; 3,000 are no calm."""
    rig = Rig(width=64)
    for number in range(60):
        rig.send(np.arange(3000, dtype=np.uint64), tick(number))
    assert [s.detail for s in rig.controller.switches] == [Detail.LOW]
