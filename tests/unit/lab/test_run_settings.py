"""What a run chooses by itself where nobody did, and its totals."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.run.interface_counters import Drops
from lab.run.settings import default_memory, exact_entries, instances
from lab.run.totals import KEPT_TIMINGS
from simulator.policy import Policy
from tests.unit.lab.run_samples import Run


@pytest.mark.parametrize(("text", "expected"), [("0", 1), ("0-1", 2), ("0-3,8-11", 12), ("5", 6)])
def test_every_possible_cpu_has_an_instance(tmp_path: Path, text: str, expected: int) -> None:
    possible = tmp_path / "possible"
    possible.write_text(f"{text}\n")
    assert instances(possible) == expected


@pytest.mark.parametrize(
    ("threshold", "epoch", "entries"), [(10_000, 1.0, 16384), (100_000, 1.0, 150_000)]
)
def test_budget_is_spent_before_the_table_is_full(
    threshold: int, epoch: float, entries: int
) -> None:
    assert exact_entries(threshold, epoch) == entries


def test_memory_grows_with_the_cpus() -> None:
    assert default_memory(2) == 2 << 20
    assert default_memory(64) == 32 << 20


@pytest.mark.parametrize(
    ("now", "before", "since"),
    [(Drops(7, 9), Drops(3, 4), Drops(4, 5)), (Drops(None, 2), Drops(1, 3), Drops(None, 2))],
)
def test_drops_are_those_since_the_start(now: Drops, before: Drops, since: Drops) -> None:
    assert now - before == since


def test_timings_are_kept_in_memory_that_does_not_grow() -> None:
    run = Run(Policy(), duration_s=3)
    run.loop.run()
    totals = run.chronicle.totals
    assert totals.epoch_read_ms()["max"] is not None
    size = totals._timings.nbytes
    for number in range(KEPT_TIMINGS):
        totals._timings[number % KEPT_TIMINGS] = number, number, number
    assert totals._timings.nbytes == size


def test_empty_totals_have_no_timings() -> None:
    assert Run(Policy()).chronicle.totals.grace_ms() == {"median": None, "p95": None, "max": None}
