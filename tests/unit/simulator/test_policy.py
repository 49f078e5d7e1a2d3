"""The policy as a function: tokens, trips, orders, returns, and what each observation decides."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from simulator.layout import Cause, Detail, Setting
from simulator.policy import (
    SECOND_NS,
    Alarm,
    Decision,
    Entry,
    EpochChange,
    Observation,
    Policy,
    State,
    Switch,
    start,
    step,
    take_over,
)

POLICY = Policy(threshold=100, epoch_ns=2 * SECOND_NS, tick_ns=SECOND_NS, exact_entries=10_000)
Stepped = tuple[State, Decision, tuple[Entry, ...]]


def seen(
    now_s: float, spent: int = 0, generation: int = 0, keys: float | None = None, **more: Any
) -> Observation:
    cause = Cause.BUDGET if generation else Cause.NONE
    return Observation(int(now_s * SECOND_NS), generation, cause, 7, spent, keys, **more)


def in_low(policy: Policy = POLICY) -> State:
    """Return the state after a trip and the first finished epoch since."""
    state, _ = start(policy, 0)
    state, _, _ = step(policy, state, seen(1, generation=1))
    state, _, _ = step(policy, state, seen(2, generation=1, keys=1.0))
    return state


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


def test_clock_that_goes_back_adds_nothing_now_nor_later() -> None:
    state, _ = start(POLICY, 10 * SECOND_NS)
    state, decision, _ = step(POLICY, state, seen(3, spent=200))
    assert decision.budget == 200
    _, decision, _ = step(POLICY, state, seen(10, spent=200))
    assert decision.budget == 200


def test_budget_never_decreases_where_the_burst_does() -> None:
    policy = replace(POLICY, tick_ns=SECOND_NS // 2)
    state = in_low(policy)
    before = state.granted
    _, decision, _ = step(policy, state, seen(3, generation=1, fill=0.9))
    assert decision.epoch_ns == policy.epoch_ns // 2
    assert decision.budget >= before


def test_burst_follows_the_length_of_epochs() -> None:
    policy = replace(POLICY, tick_ns=SECOND_NS // 2)
    state = in_low(policy)
    state, _, _ = step(policy, state, seen(3, spent=500, generation=1, fill=0.9))
    _, decision, _ = step(policy, state, seen(60, spent=500, generation=1))
    assert decision.budget == 500 + policy.burst // 2


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


def test_return_fills_the_bucket_for_a_whole_epoch() -> None:
    state = replace(in_low(), granted=510, since_ns=4 * SECOND_NS)  # 10 tokens, and none drips in
    _, decision, _ = step(POLICY, state, seen(4, spent=500, generation=1, keys=1.0))
    assert decision.budget == 500 + POLICY.burst


def test_return_is_named_by_the_trip_it_knows() -> None:
    state = replace(in_low(), generation=3)
    _, decision, _ = step(POLICY, state, seen(4, generation=3, keys=1.0))
    assert decision.generation == 3


def test_small_exact_table_lowers_what_counts_as_calm() -> None:
    assert replace(POLICY, exact_entries=50).return_below == 25
    assert POLICY.return_below == 100


# One row per field of an observation: what it decides. (The last test says that none is missing.)
def high(**more: Any) -> Stepped:
    state, _ = start(POLICY, 0)
    return step(POLICY, state, seen(1, **more))


def later(now_s: float) -> Stepped:
    state, _ = start(POLICY, 0)
    return step(POLICY, state, seen(now_s, spent=200))


def low(keys: float | None = 1.0, now_s: float = 4, **more: Any) -> Stepped:
    return step(POLICY, in_low(), seen(now_s, generation=1, keys=keys, **more))


def orders_low(stepped: Stepped, cause: str) -> bool:
    _, decision, log = stepped
    return decision.detail is Detail.LOW and [e.cause for e in log] == [cause]


def returns(stepped: Stepped) -> bool:
    return stepped[1].detail is Detail.HIGH


def shortens(stepped: Stepped, cause: str) -> bool:
    _, decision, log = stepped
    changes = [e.cause for e in log if isinstance(e, EpochChange)]
    return decision.epoch_ns == POLICY.epoch_ns // 2 and changes == [cause]


def rate(packets: int) -> Stepped:
    return high(seen=packets, packets=packets)


DECIDES = {
    "now_ns": lambda: later(1.0)[1].budget - later(0.5)[1].budget == POLICY.threshold // 2,
    "generation": lambda: high(generation=1)[0].detail is Detail.LOW,
    "cause": lambda: high(generation=1)[2][0].cause == "budget spent",
    "trip_ns": lambda: high(generation=1)[2][0].time_ns == 7,
    "spent": lambda: high(spent=150)[1].budget > high(spent=0)[1].budget,
    "cardinality": lambda: returns(low(99.0)) and not returns(low(100.0)),
    "cardinality_error": lambda: not returns(low(99.0, cardinality_error=0.02)),
    "ledger_difference": lambda: not returns(low(1.0, ledger_difference=1)),
    "detail": lambda: take_over(POLICY, seen(0, detail=Detail.LOW))[1].detail is Detail.LOW,
    "begin_ns": lambda: not returns(low(60.0, begin_ns=3 * SECOND_NS)),  # 120 in a whole epoch
    "seen": lambda: orders_low(rate(1_000_001), "packet rate") and not rate(1_000_000)[2],
    "packets": lambda: not returns(low(packets=4 * 500_000)) and returns(low(packets=1_999_999)),
    "new_keys": lambda: orders_low(high(new_keys=301), "new keys") and not high(new_keys=300)[2],
    "occupancy": lambda: (
        orders_low(high(occupancy=0.91), "exact table nearly full") and not high(occupancy=0.9)[2]
    ),
    "fill": lambda: shortens(low(None, 3, fill=0.86), "fill") and not low(None, 3, fill=0.85)[2],
    "error": lambda: (
        shortens(low(None, 3, error=0.51), "estimated error") and not low(None, 3, error=0.5)[2]
    ),
}


@pytest.mark.parametrize("field", list(DECIDES))
def test_every_observation_decides_something(field: str) -> None:
    assert DECIDES[field]()


def test_no_observation_is_left_out() -> None:
    assert list(DECIDES) == [field.name for field in fields(Observation)]


def test_order_of_user_space_is_logged_with_its_values_and_names_the_trip() -> None:
    state, _ = take_over(POLICY, seen(0, generation=4))
    _, decision, (switch,) = step(POLICY, state, seen(1, generation=4, occupancy=0.95))
    assert (decision.detail, decision.generation) == (Detail.LOW, 4)
    assert isinstance(switch, Switch)
    assert (switch.time_ns, switch.detail) == (SECOND_NS, Detail.LOW)
    assert switch.values == (("occupancy", 0.95), ("limit", 0.9))


def test_full_table_of_an_epoch_that_has_ended_is_empty_again() -> None:
    assert high(keys=50.0, occupancy=0.95)[2] == ()


def test_new_keys_of_a_late_epoch_are_held_against_its_length() -> None:
    state, _ = start(POLICY, 0)
    _, _, log = step(POLICY, state, seen(10, new_keys=1500))
    assert log == ()


def test_ledger_difference_is_an_alarm_and_starts_the_dwell_again() -> None:
    state, _, log = low(1.0, ledger_difference=3)
    assert log == (Alarm(4 * SECOND_NS, "ledger does not balance", (("ledger_difference", 3.0),)),)
    state, decision, _ = step(
        POLICY, state, seen(6, generation=1, keys=1.0, begin_ns=4 * SECOND_NS)
    )
    assert decision.detail is None
    last = seen(8, generation=1, keys=1.0, begin_ns=6 * SECOND_NS)
    assert step(POLICY, state, last)[1].detail is Detail.HIGH


def test_accounts_are_checked_where_the_detail_is_forced_too() -> None:
    policy = replace(POLICY, setting=Setting.LOW)
    state, _ = start(policy, 0)
    assert isinstance(step(policy, state, seen(2, keys=1.0, ledger_difference=1))[2][0], Alarm)


@pytest.mark.parametrize("setting", [Setting.HIGH, Setting.LOW])
def test_forced_detail_leaves_nothing_to_decide_but_the_budget(setting: Setting) -> None:
    policy = replace(POLICY, setting=setting)
    state, first = start(policy, 0)
    assert first.detail is (Detail.LOW if setting is Setting.LOW else Detail.HIGH)
    much = seen(2, keys=1.0, occupancy=1.0, fill=1.0, error=9.0, new_keys=10**6, seen=10**9)
    assert step(policy, state, much)[1:] == (Decision(200, epoch_ns=policy.epoch_ns), ())


def test_take_over_keeps_detail_trips_and_what_was_spent() -> None:
    state, decision = take_over(POLICY, seen(5, spent=900, generation=2, detail=Detail.LOW))
    assert decision == Decision(900 + POLICY.burst, Detail.LOW, 2, POLICY.epoch_ns)
    assert step(POLICY, state, seen(6, spent=900, generation=2))[2] == ()


@pytest.mark.parametrize("field", ["threshold", "tick_ns", "exact_entries", "dwell_epochs"])
def test_settings_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        replace(POLICY, **{field: 0})


LIMITS = ["packet_limit", "occupancy_limit", "new_keys_limit", "fill_limit", "error_limit"]


@pytest.mark.parametrize("field", LIMITS)
def test_limits_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=r"limits of .* must be positive"):
        replace(POLICY, **{field: 0})


def test_epoch_is_divided_by_powers_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        replace(POLICY, most_divisions=3)


def test_epoch_shorter_than_a_tick_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one tick"):
        replace(POLICY, epoch_ns=POLICY.tick_ns - 1)
