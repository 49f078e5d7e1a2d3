"""The length of epochs: shorter under pressure, whole again after calm, on boundaries that stay."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.epoch_length import (
    PROBE_PERIODS,
    RELIEF_EPOCHS,
    Length,
    adapt,
    end_of_epoch,
    is_whole,
    restore,
)
from simulator.layout import Cause
from simulator.policy import SECOND_NS, EpochChange, Observation, Policy

POLICY = Policy()
TICK = POLICY.tick_ns


def seen(tick: int, **more: Any) -> Observation:
    return Observation(tick * TICK, 0, Cause.NONE, 0, 0, **more)


def run(
    length: Length,
    at: int,
    *,
    period: int = 0,
    whole: bool = False,
    doubt: bool = False,
    **more: Any,
) -> tuple[Length, tuple[EpochChange, ...]]:
    return adapt(POLICY, length, seen(at, **more), period=period, whole=whole, doubt=doubt)


@pytest.mark.parametrize("start_ns", [0, 17])
def test_base_epochs_end_at_floor_boundaries(start_ns: int) -> None:
    for begin in (0, 1, SECOND_NS - 1):
        end = end_of_epoch(POLICY, start_ns, start_ns + begin, POLICY.epoch_ns)
        assert end == start_ns + SECOND_NS
    assert end_of_epoch(POLICY, 0, SECOND_NS, POLICY.epoch_ns) == 2 * SECOND_NS


@pytest.mark.parametrize(("divisions", "ends"), [(2, [5, 10, 15]), (4, [3, 5, 8, 10, 13])])
def test_short_epochs_end_at_the_first_tick_of_the_next_division(
    divisions: int, ends: list[int]
) -> None:
    begin, found = 0, []
    for _ in ends:
        begin = end_of_epoch(POLICY, 0, begin, POLICY.epoch_ns // divisions)
        found.append(begin // TICK)
    assert found == ends


def test_boundary_ends_a_short_epoch_where_no_tick_is() -> None:
    policy = Policy(epoch_ns=250_000_000)
    assert end_of_epoch(policy, 0, 200_000_000, 125_000_000) == 250_000_000


def test_whole_epoch_runs_from_boundary_to_boundary_give_or_take_a_tick() -> None:
    assert is_whole(POLICY, 0, 0, SECOND_NS)
    assert is_whole(POLICY, 0, TICK - 1, SECOND_NS + 5)
    assert not is_whole(POLICY, 0, TICK, SECOND_NS)
    assert not is_whole(POLICY, 0, 0, SECOND_NS - 1)


def test_pressure_halves_once_for_a_tick_and_stops_at_the_most() -> None:
    length, changes = run(Length(), 1, fill=0.9)
    assert (length.divisions, changes[0].cause, changes[0].epoch_ns) == (2, "fill", SECOND_NS // 2)
    assert changes[0].values == (("fill", 0.9), ("limit", 0.85))
    assert run(length, 1, fill=0.9)[1] == ()
    length, _ = run(length, 2, fill=0.9)
    assert (length.divisions, run(length, 3, fill=0.9)[1]) == (4, ())


def test_error_is_pressure_too_and_unmeasured_error_is_none() -> None:
    assert run(Length(), 1, error=0.6)[1][0].cause == "estimated error"
    assert run(Length(), 1, error=None)[1] == ()


def test_epoch_is_never_shorter_than_a_tick() -> None:
    policy = Policy(epoch_ns=150_000_000)
    assert adapt(policy, Length(), seen(1, fill=1.0), period=0, whole=False, doubt=False)[1] == ()


def test_relief_needs_epochs_in_a_row_far_below_the_limits() -> None:
    short = Length(divisions=4)
    for number in range(RELIEF_EPOCHS):
        short, changes = run(short, number, cardinality=9e9, fill=0.42, error=0.24)
    assert (short.divisions, changes[0].cause) == (2, "relief")


@pytest.mark.parametrize("more", [{"fill": 0.43}, {"error": 0.26}])
def test_relief_starts_again_where_one_epoch_was_not_far_below(more: dict[str, float]) -> None:
    short = Length(divisions=4, relieved=1)
    assert run(short, 1, cardinality=9e9, **more)[0] == Length(divisions=4)


def test_tick_within_an_epoch_is_no_relief() -> None:
    short = Length(divisions=4, relieved=1)
    assert run(short, 1, fill=0.0) == (short, ())


def test_probe_is_one_whole_epoch_whatever_the_limits_say() -> None:
    length, changes = run(Length(divisions=4), 1, period=9, doubt=True, cardinality=5.0, fill=0.6)
    assert (changes[0].cause, changes[0].epoch_ns) == ("probe for calm", SECOND_NS)
    assert run(length, 2, period=9, fill=1.0) == (length, ())
    length, changes = run(length, 10, period=10, whole=True, cardinality=7.0, fill=1.0)
    assert (changes[0].cause, changes[0].epoch_ns) == ("probe found no calm", SECOND_NS // 4)
    assert length.divisions == 4


def test_probe_comes_too_where_the_shortest_epochs_are_still_under_pressure() -> None:
    """Keys that are all there in every epoch, however short, fill the light part all the same."""
    shortest = Length(divisions=POLICY.most_divisions)
    probe = run(shortest, 1, period=9, doubt=True, cardinality=5.0, fill=0.9)
    assert probe[1][0].cause == "probe for calm"
    assert run(shortest, 1, period=9, doubt=False, cardinality=5.0, fill=0.9) == (shortest, ())


def test_probes_are_rare() -> None:
    short = Length(divisions=4, probed=3)
    early = run(short, 1, period=3 + PROBE_PERIODS - 1, doubt=True, cardinality=5.0, fill=0.6)
    assert early[1] == ()
    due = run(short, 1, period=3 + PROBE_PERIODS, doubt=True, cardinality=5.0, fill=0.6)
    assert due[1][0].cause == "probe for calm"


def test_high_detail_restores_the_base_length() -> None:
    length, changes = restore(POLICY, Length(divisions=4, probed=5), seen(1))
    assert (length, changes[0].cause) == (Length(probed=5), "high detail")
    assert restore(POLICY, length, seen(2)) == (length, ())
