"""The loop of a run on simulated time: when it acts, what it tells, why it ends."""

from __future__ import annotations

import signal

import pytest

from lab.recorded import first_difference
from lab.run.loop import Ending
from simulator.layout import Detail
from simulator.policy import SECOND_NS, Policy
from tests.unit.lab.run_samples import START_NS, TICK_NS, Run


def test_loop_acts_at_every_tick_and_ends_in_time() -> None:
    run = Run(Policy(), duration_s=2)
    assert run.loop.run() is Ending.DURATION
    times = [tick.observation.now_ns - START_NS for tick in run.ticks]
    assert times == [TICK_NS * number for number in range(21)]
    assert [epoch["end_s"] for epoch in run.epochs] == [1.0, 2.0]


def test_last_epoch_is_read_at_the_end() -> None:
    run = Run(Policy(), duration_s=1.5)
    run.packets(1.2, [1, 2, 2])
    run.loop.run()
    run.loop.finish()
    assert [epoch["packets"] for epoch in run.epochs] == [0, 3]
    assert run.chronicle.totals.ledger.seen == 3
    assert run.chronicle.totals.lost_epochs == 0


def test_loop_that_is_held_up_goes_on_from_there() -> None:
    """Suspended for ten seconds, it makes one long epoch of them, and returns to its ticks."""
    run = Run(Policy(), duration_s=12)
    run.packets(0.5, [1] * 5)
    run.clock.at(0.55, lambda: setattr(run.clock, "time_ns", START_NS + 10 * SECOND_NS + 7))
    run.loop.run()
    assert run.loop.longest_gap_ns == 9_500_000_007
    assert [epoch["packets"] for epoch in run.epochs] == [5, 0, 0]
    assert run.epochs[0]["end_s"] == pytest.approx(10, abs=1e-6)
    assert run.ticks[-1].observation.now_ns == START_NS + 12 * SECOND_NS


def test_clock_that_is_set_back_holds_nothing_up() -> None:
    """CLOCK_MONOTONIC never does that; a clock that did would cost no tick and no token."""
    run = Run(Policy(), duration_s=3)
    run.clock.at(1.05, lambda: setattr(run.clock, "time_ns", START_NS + SECOND_NS // 2))
    assert run.loop.run() is Ending.DURATION
    budgets = [tick.decision.budget for tick in run.ticks]
    assert budgets == sorted(budgets)
    assert run.chronicle.totals.lost_epochs == 0


def test_trip_is_looked_at_within_a_tick() -> None:
    run = Run(Policy(threshold=100), duration_s=1)
    run.packets(0.32, range(150))
    run.loop.run()
    (switch,) = run.chronicle.switches
    shown = next(look for look in run.looks if look.detail is Detail.LOW)
    assert switch.cause == "budget spent"
    assert 0 <= shown.now_ns - switch.time_ns <= TICK_NS
    assert shown.since_ns == switch.time_ns


def test_rates_are_of_the_latest_tick() -> None:
    run = Run(Policy(), duration_s=0.5)
    run.packets(0.35, [1, 2, 3, 3])
    run.loop.run()
    rates = [look.rates for look in run.looks if look.rates.packets]
    assert (rates[0].packets, rates[0].new_keys) == (40.0, 30.0)
    assert run.looks[-1].rates.packets == 0


def test_steps_replay_to_the_same_decisions() -> None:
    policy = Policy(threshold=200)
    run = Run(policy, duration_s=20)
    for tenth in range(200):
        many = 300 if 50 <= tenth < 90 else 5
        run.packets(tenth / 10 + 0.05, range(tenth * many, (tenth + 1) * many))
    run.loop.run()
    run.loop.finish()
    seen = [tick.observation for tick in run.ticks]
    decided = [tick.decision for tick in run.ticks]
    assert {switch.detail for switch in run.chronicle.switches} == {Detail.LOW, Detail.HIGH}
    assert first_difference(policy, seen, decided) is None


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        (signal.SIGINT, Ending.INTERRUPTED),
        (signal.SIGTERM, Ending.TOLD),
        (signal.SIGHUP, Ending.TOLD),
    ],
)
def test_signal_ends_before_the_next_tick(number: int, ending: Ending) -> None:
    run = Run(Policy())
    run.clock.at(0.55, lambda: run.clock.signals.append(number))
    assert run.loop.run() is ending
    assert len(run.ticks) == 6


def test_ctrl_z_stops_and_goes_on() -> None:
    stops: list[int] = []
    run = Run(Policy(), duration_s=1, stop=lambda: stops.append(run.clock.now()))
    run.clock.at(0.55, lambda: run.clock.signals.append(signal.SIGTSTP))
    assert run.loop.run() is Ending.DURATION
    assert stops == [START_NS + SECOND_NS * 55 // 100]


def test_interface_that_vanishes_ends_it() -> None:
    run = Run(Policy())
    run.clock.at(0.55, run.watched.vanish)
    assert run.loop.run() is Ending.INTERFACE_GONE


def test_listener_may_end_it() -> None:
    reasons: list[Ending] = []
    run = Run(Policy(), ended=lambda: reasons[0] if reasons else None)
    run.clock.at(0.55, lambda: reasons.append(Ending.READER_GONE))
    assert run.loop.run() is Ending.READER_GONE


def test_news_of_the_interface_is_told_shown_and_recorded() -> None:
    run = Run(Policy(), duration_s=1)
    run.watched.waiting = ["eth0 is down"]
    run.clock.at(0.55, lambda: run.clock.ready.append(run.watched))
    run.loop.run()
    assert run.news == ["eth0 is down"]
    assert run.looks[-1].news == ("eth0 is down",)
    assert run.epochs[0]["interface_news"] == ["eth0 is down"]


def test_query_is_answered_at_once_and_in_every_epoch() -> None:
    run = Run(Policy(), duration_s=2)
    run.packets(0.5, [5, 5, 6])
    run.packets(1.2, [5])
    run.clock.at(1.5, lambda: run.chronicle.ask("10.5.0.0"))
    run.loop.run()
    asked = [look.answers for look in run.looks if look.answers]
    assert [(count.key, count.packets, count.kind) for count in asked[0]] == [
        ("10.5.0.0", 2, "exact")
    ]
    assert run.epochs[0]["queries"] == []
    assert run.epochs[1]["queries"][0]["packets"] == 1


def test_question_that_is_no_key_is_answered_with_what_is_wrong() -> None:
    run = Run(Policy())
    assert "is no src key" in (run.chronicle.ask("nowhere") or "")


def test_top_is_the_largest_first() -> None:
    run = Run(Policy(), duration_s=1)
    run.packets(0.5, [1, 2, 2, 3, 3, 3, 4, 4, 4, 4])
    run.loop.run()
    top = run.epochs[0]["top"]
    assert [(count["key"], count["packets"]) for count in top] == [
        ("10.4.0.0", 4),
        ("10.3.0.0", 3),
        ("10.2.0.0", 2),
    ]


def test_month_of_switches_keeps_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.run.chronicle.KEPT_SWITCHES", 2)
    run = Run(Policy(threshold=100, dwell_epochs=1), duration_s=30)
    for second in range(0, 30, 6):
        run.packets(second + 0.32, range(second * 1000, second * 1000 + 150))
    run.loop.run()
    assert len(run.chronicle.switches) == 2
    assert run.chronicle.trips >= 3
    assert len(run.loop.controller.log) < 5
