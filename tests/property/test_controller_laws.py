"""Laws of policy and controller, on simulated time, with the twin as the data path."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.recorded import first_difference
from simulator.epoch_length import PROBE_PERIODS
from simulator.layout import Detail, Setting
from simulator.ledger import balance
from simulator.policy import EpochChange, Policy
from tests.rig import POLICY, Rig, tick

CALM_AGAIN = 10 * (POLICY.dwell_epochs + PROBE_PERIODS + 3)  # ticks in which a return must come


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


@given(
    count=st.integers(50, 400),
    cells=st.sampled_from([256, 384, 512, 1024, 4096]),
    flood=st.integers(5000, 9000),
    lasting=st.integers(1, 25),
    live=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_constant_keys_return_whatever_length_epochs_have_then(
    count: int, cells: int, flood: int, lasting: int, live: bool
) -> None:
    """Even where the calm traffic itself fills a small light part, so that epochs stay short."""
    rig = Rig(cells=cells, buckets=1, live=live)
    for number in range(lasting):
        rig.send(np.arange(10_000, 10_000 + flood, dtype=np.uint64), tick(number))
    keys = np.arange(count, dtype=np.uint64)
    for number in range(lasting, lasting + CALM_AGAIN + 50):
        rig.send(keys, tick(number))
    assert rig.changes == [Detail.LOW, Detail.HIGH]
    assert rig.controller.switches[-1].time_ns <= tick(lasting + CALM_AGAIN)
    assert rig.controller.epoch_ns == POLICY.epoch_ns


def test_flood_trips_in_the_packet_that_spends_the_budget() -> None:
    rig = Rig()
    rig.send(np.arange(5000, dtype=np.uint64), tick(0))
    rig.controller.finish_epoch(tick(10))
    ledger = balance(rig.finished[0].retired)
    assert (ledger.exact, ledger.sketched) == (POLICY.burst, 5000 - POLICY.burst)


@given(
    floods=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 8)), min_size=1, max_size=25),
    cells=st.sampled_from([256, 4096]),
)
@settings(max_examples=40, deadline=None)
def test_any_load_keeps_the_ledger_and_never_flaps_faster_than_the_dwell(
    floods: list[tuple[int, int]], cells: int
) -> None:
    rig = Rig(cells=cells, buckets=4)
    at = first = 0
    for count, ticks in floods:
        rig.send(np.arange(first, first + count, dtype=np.uint64), tick(at))
        at += ticks
        first += count // 2
    rig.controller.finish_epoch(tick(at))
    assert sum(epoch.ledger.seen for epoch in rig.finished) == rig.fed
    assert all(e.ledger.difference == e.ledger.byte_difference == 0 for e in rig.finished)
    for low, high in pairwise(rig.controller.switches):
        if low.detail is Detail.LOW and high.detail is Detail.HIGH:
            # The trip's own epoch counts as the first of the two.
            assert high.time_ns - low.time_ns >= (POLICY.dwell_epochs - 1) * POLICY.epoch_ns


@given(loads=st.lists(st.integers(0, 2500), min_size=10, max_size=60), live=st.booleans())
@settings(max_examples=25, deadline=None)
def test_recorded_run_decides_the_same_again(loads: list[int], live: bool) -> None:
    rig = Rig(cells=512, buckets=2, live=live)
    for number, load in enumerate(loads):
        rig.send(np.arange(load, dtype=np.uint64) + number * 1000, tick(1.3 * number))
    seen = [t.observation for t in rig.ticks]
    decided = [t.decision for t in rig.ticks]
    assert first_difference(rig.controller.policy, seen, decided) is None


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
    rig.send(np.arange(10, dtype=np.uint64), tick(10**10))
    assert len(rig.finished) < 20


def test_small_exact_table_does_not_flap_when_calm_is_too_much_for_it() -> None:
    policy = Policy(threshold=10_000, exact_entries=100)
    rig = Rig(policy)
    for number in range(100):
        rig.send(np.arange(300, dtype=np.uint64), tick(number))
    assert [s.detail for s in rig.controller.switches] == [Detail.LOW]


def test_full_sketch_is_never_taken_for_calm() -> None:
    """Rows of 64 counters can count some 64 ln 64 = 266 keys; 3,000 are no calm."""
    rig = Rig(cells=64)
    for number in range(60):
        rig.send(np.arange(3000, dtype=np.uint64), tick(number))
    assert [s.detail for s in rig.controller.switches] == [Detail.LOW]


def test_churn_that_looks_calm_in_short_epochs_does_not_flap() -> None:
    """2,000 new keys/s are 500 in a quarter of a second, hardly above what is calm in a second."""
    rig = Rig(cells=512, buckets=1)
    for number in range(400):
        rig.send(np.arange(200, dtype=np.uint64) + 200 * number, tick(number))
    assert rig.changes == [Detail.LOW]
    probes = [e for e in rig.controller.log if isinstance(e, EpochChange) and "probe" in e.cause]
    assert len(probes) > 2
