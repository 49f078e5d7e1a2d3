"""A recorded run through the policy again: identical, or the first difference by name."""

from __future__ import annotations

from dataclasses import replace

from lab.recorded import Difference, first_difference, replay
from simulator.layout import Cause, Detail
from simulator.policy import SECOND_NS, Decision, Observation, Policy

POLICY = Policy()
TICK = POLICY.tick_ns


def observations() -> list[Observation]:
    """Return a start and thirty ticks; the kernel trips before the fifth."""
    return [
        Observation(n * TICK, int(n > 4), Cause(int(n > 4)), 5 * TICK - 1 if n > 4 else 0, 40 * n)
        for n in range(31)
    ]


def recorded() -> list[Decision]:
    return [decision for decision, _ in replay(POLICY, observations())]


def test_nothing_recorded_decides_nothing() -> None:
    assert replay(POLICY, []) == []
    assert first_difference(POLICY, [], []) is None


def test_replay_begins_with_the_start_and_logs_the_trip() -> None:
    decided = replay(POLICY, observations())
    assert len(decided) == 31
    assert decided[0] == (Decision(POLICY.burst, Detail.HIGH, 0, POLICY.epoch_ns), ())
    logs = [[entry.cause for entry in log] for _, log in decided]
    assert logs == [[]] * 5 + [["budget spent"]] + [[]] * 25


def test_same_run_has_no_difference() -> None:
    assert first_difference(POLICY, observations(), recorded()) is None


def test_run_survives_being_stored_as_rows() -> None:
    rows = [seen.as_row() for seen in observations()]
    again = [Observation.from_row(row) for row in rows]
    assert first_difference(Policy.from_row(POLICY.as_row()), again, recorded()) is None


def test_first_difference_is_named() -> None:
    changed = recorded()
    changed[7] = replace(changed[7], budget=1)
    changed[9] = replace(changed[9], budget=2)
    found = first_difference(POLICY, observations(), changed)
    now = recorded()[7].budget
    assert found == Difference(7, 7 * TICK, "budget", 1, now)
    assert str(found) == (
        f"observation 7 at {7 * TICK} ns: budget was 1, the policy now decides {now}"
    )


def test_other_settings_decide_otherwise() -> None:
    found = first_difference(replace(POLICY, threshold=9000), observations(), recorded())
    assert found is not None
    assert (found.number, found.what, found.recorded) == (0, "budget", 10_000)


def test_missing_decisions_are_a_difference() -> None:
    found = first_difference(POLICY, observations(), recorded()[:-1])
    assert found == Difference(30, 3 * SECOND_NS, "length", 30, 31)
