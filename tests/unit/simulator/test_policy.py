"""The policy as a function: tokens, trips, returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.layout import Cause, Detail
from simulator.policy import SECOND_NS, Observation, Policy, start, step

POLICY = Policy(threshold=100, epoch_ns=2 * SECOND_NS, tick_ns=SECOND_NS, exact_entries=10_000)


def seen(
    now_s: float, spent: int = 0, generation: int = 0, keys: float | None = None
) -> Observation:
    cause = Cause.BUDGET if generation else Cause.NONE
    return Observation(int(now_s * SECOND_NS), generation, cause, 7, spent, keys)


def test_bucket_starts_full_with_an_epochs_worth() -> None:
    _, decision = start(POLICY, 0)
    assert decision.budget == POLICY.burst == 200


def test_spent_tokens_come_back_at_the_threshold_rate() -> None:
    state, _ = start(POLICY, 0)
    state, decision, _ = step(POLICY, state, seen(0.5, spent=200))
    assert decision.budget - 200 == 50
    state, decision, _ = step(POLICY, state, seen(1.0, spent=200))
    assert decision.budget - 200 == 100


def test_bucket_never_holds_more_than_a_burst() -> None:
    state, _ = start(POLICY, 0)
    _, decision, _ = step(POLICY, state, seen(1000, spent=30))
    assert decision.budget == 30 + POLICY.burst


def test_fractions_of_a_token_are_not_lost() -> None:
    state, _ = start(POLICY, 0)
    for number in range(1, 1001):
        state, decision, _ = step(POLICY, state, seen(number / 1000, spent=200))
    assert decision.budget - 200 == 100


def test_clock_that_goes_back_adds_nothing() -> None:
    state, _ = start(POLICY, 10 * SECOND_NS)
    _, decision, _ = step(POLICY, state, seen(3, spent=200))
    assert decision.budget == 200


def test_trip_is_logged_once_with_its_cause_and_time() -> None:
    state, _ = start(POLICY, 0)
    state, _, switches = step(POLICY, state, seen(1, generation=1))
    assert [(s.detail, s.cause, s.time_ns) for s in switches] == [(Detail.LOW, "budget spent", 7)]
    _, _, again = step(POLICY, state, seen(2, generation=1))
    assert again == ()


def test_return_waits_for_the_dwell_and_for_calm() -> None:
    state, _ = start(POLICY, 0)
    state, _, _ = step(POLICY, state, seen(1, generation=1))
    state, decision, _ = step(POLICY, state, seen(2, generation=1, keys=1.0))
    assert decision.detail is None  # calm, but only one finished epoch
    state, decision, _ = step(POLICY, state, seen(4, generation=1, keys=100.0))
    assert decision.detail is None  # dwelt, but not below half
    state, decision, switches = step(POLICY, state, seen(6, generation=1, keys=99.0))
    assert (decision.detail, decision.generation) == (Detail.HIGH, 1)
    assert switches[0].cause == "calm"


def test_return_is_named_by_the_trip_it_knows() -> None:
    state, _ = start(POLICY, 0)
    state, _, _ = step(POLICY, state, seen(1, generation=1))
    state, _, _ = step(POLICY, state, seen(2, generation=1, keys=1.0))
    _, decision, _ = step(POLICY, replace(state, generation=3), seen(4, generation=3, keys=1.0))
    assert decision.generation == 3


def test_small_exact_table_lowers_what_counts_as_calm() -> None:
    assert replace(POLICY, exact_entries=50).return_below == 25
    assert POLICY.return_below == 100


@pytest.mark.parametrize("field", ["threshold", "tick_ns", "exact_entries", "dwell_epochs"])
def test_settings_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        replace(POLICY, **{field: 0})


def test_epoch_shorter_than_a_tick_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one tick"):
        replace(POLICY, epoch_ns=POLICY.tick_ns - 1)
