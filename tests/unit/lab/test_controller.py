"""The controller: when epochs end, on simulated and on real time, and whom it tells."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from lab.controller import Tick
from simulator.layout import Detail, Setting
from simulator.policy import SECOND_NS, EpochChange, Observation, Policy
from tests.rig import POLICY, START_NS, Rig, tick

NONE = np.zeros(0, np.uint64)
MANY = np.arange(3000, dtype=np.uint64)
SMALL = {"cells": 1024, "buckets": 1}  # a TFM that a flood fills


def ends(rig: Rig) -> list[float]:
    return [(epoch.end_ns - START_NS) / POLICY.tick_ns for epoch in rig.finished]


def test_epochs_of_simulated_time_end_at_their_boundaries_even_in_a_gap() -> None:
    rig = Rig()
    rig.send(MANY[:10], tick(3))
    rig.send(MANY[:10], tick(45.5))
    assert ends(rig) == [10, 20, 30, 40]
    assert [epoch.ledger.seen for epoch in rig.finished] == [10, 0, 0, 0]
    assert rig.ticks[-1].observation.now_ns == tick(45)


def test_late_live_controller_ends_one_long_epoch() -> None:
    rig = Rig(live=True)
    for number in range(1, 6):
        rig.send(MANY[:10], tick(number))
    rig.feed(MANY[:500], tick(60))
    rig.send(NONE, tick(105.5))  # stopped for ten seconds
    rig.send(NONE, tick(106))
    rig.send(NONE, tick(110.2))
    assert ends(rig) == [105.5, 110.2]
    assert [epoch.ledger.seen for epoch in rig.finished] == [550, 0]
    assert rig.finished[0].begin_ns == START_NS


def test_live_controller_stamps_when_it_really_acted() -> None:
    rig = Rig(live=True)
    for now in (1.2, 2.1, 2.9, 3.0, 10.4):
        rig.send(NONE, tick(now))
    assert [t.observation.now_ns for t in rig.ticks] == [tick(n) for n in (0, 1.2, 2.1, 3.0, 10.4)]


def test_clock_that_goes_back_is_waited_for() -> None:
    rig = Rig(live=True)
    rig.send(NONE, tick(5))
    rig.send(NONE, tick(2))
    assert len(rig.ticks) == 2


@pytest.mark.parametrize("live", [False, True])
def test_full_light_part_ends_the_running_epoch(live: bool) -> None:
    rig = Rig(live=live, **SMALL)
    rig.send(MANY, tick(0.1))
    for number in range(1, 20):
        rig.send(MANY[:2500], tick(number))
    causes = [e.cause for e in rig.controller.log if isinstance(e, EpochChange)]
    assert causes == ["fill", "fill"]
    assert rig.controller.epoch_ns == SECOND_NS // 4
    assert ends(rig) == [3, 5, 8, 10, 13, 15, 18]
    assert all(epoch.ledger.difference == 0 for epoch in rig.finished)
    assert sum(epoch.ledger.seen for epoch in rig.finished) + rig.path.glance().seen == rig.fed


def test_fixed_epochs_stay_whatever_the_fill() -> None:
    rig = Rig(replace(POLICY, most_divisions=1), **SMALL)
    for number in range(21):
        rig.send(MANY, tick(number))
    assert ends(rig) == [10, 20]


@pytest.mark.parametrize("setting", [Setting.HIGH, Setting.LOW])
def test_forced_detail_has_fixed_epochs(setting: Setting) -> None:
    rig = Rig(setting=setting, **SMALL)
    for number in range(21):
        rig.send(MANY, tick(number))
    assert ends(rig) == [10, 20]
    assert rig.controller.policy.setting is setting


def test_tick_tells_of_the_start_and_of_every_step() -> None:
    rig = Rig()
    for number in range(12):
        rig.send(MANY[:5], tick(number))
    assert [t.observation.now_ns for t in rig.ticks] == [tick(n) for n in range(12)]
    ended = [t.observation.cardinality is not None for t in rig.ticks]
    assert ended == [False] * 10 + [True, False]
    assert all(isinstance(t.observation, Observation) for t in rig.ticks)
    with pytest.raises(FrozenInstanceError):
        rig.ticks[0].detail = Detail.LOW  # type: ignore[misc]


def test_tick_comes_after_the_decision_and_before_the_epoch() -> None:
    order: list[object] = []
    rig = Rig()
    rig.controller.on_tick, rig.controller.on_epoch = order.append, order.append
    rig.send(MANY, tick(1))
    rig.send(NONE, tick(2))
    _, tripped = order
    assert isinstance(tripped, Tick)
    assert (tripped.detail, tripped.switches[0].cause) == (Detail.LOW, "budget spent")
    order.clear()
    rig.send(NONE, tick(10))
    assert [type(o).__name__ for o in order] == ["Tick", "FinishedEpoch"]


def test_observation_at_the_end_describes_the_finished_epoch() -> None:
    rig = Rig()
    rig.send(MANY[:300], tick(1))
    rig.send(NONE, tick(10))
    seen, epoch = rig.ticks[-1].observation, rig.finished[0]
    assert (seen.packets, seen.seen, seen.new_keys, seen.occupancy) == (300, 300, 300, 0.15)
    assert (seen.cardinality, seen.ledger_difference, seen.begin_ns) == (300, 0, START_NS)
    assert (epoch.cardinality, epoch.reliable, epoch.error) == (300, True, 0.0)
    rig.send(MANY[:7], tick(11))
    rig.send(NONE, tick(12))
    seen = rig.ticks[-1].observation
    assert (seen.packets, seen.seen, seen.new_keys, seen.begin_ns) == (7, 307, 7, tick(10))
    assert (seen.cardinality, seen.ledger_difference) == (None, None)


def test_finished_epoch_knows_its_error_and_whether_its_keys_are_sure() -> None:
    rig = Rig(setting=Setting.LOW, **SMALL)
    rig.send(np.tile(MANY, 3), tick(1))
    rig.send(NONE, tick(10))
    (epoch,) = rig.finished
    assert epoch.error > 5
    assert not epoch.reliable
    assert epoch.cardinality_error > 0.02


def test_user_space_orders_low_before_the_kernel_has_to() -> None:
    rig = Rig(Policy(threshold=5000, exact_entries=2000))
    rig.send(MANY[:1900], tick(0.5))
    rig.send(NONE, tick(1))
    (switch,) = rig.controller.switches
    assert (switch.detail, switch.cause) == (Detail.LOW, "exact table nearly full")
    assert rig.ticks[-1].detail is Detail.LOW
    assert int(rig.path.control()["trip"]) == 0
    rig.send(MANY[1900:2000], tick(2))
    assert rig.path.glance().sketched == 100


def test_new_controller_takes_over_what_it_finds() -> None:
    rig = Rig()
    rig.send(MANY, tick(0.5))
    rig.send(MANY[:100], tick(3))
    tripped = rig.path.control()["trip"]
    rig.start(tick(7))
    assert rig.ticks[-1].detail is Detail.LOW
    assert rig.ticks[-1].observation.seen == 3100
    for number in range(8, 60):
        rig.send(MANY[:100], tick(number))
    assert rig.path.control()["trip"] == tripped  # it did not trip again
    assert rig.changes == [Detail.LOW, Detail.HIGH]
    assert sum(epoch.ledger.seen for epoch in rig.finished) + rig.path.glance().seen == rig.fed
    assert all(epoch.ledger.difference == 0 for epoch in rig.finished)
