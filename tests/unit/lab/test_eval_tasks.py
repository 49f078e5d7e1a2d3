"""One measurement of an evaluation: windows, budgets, subjects, rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lab import memory
from lab.errors import BadInput, UsageError_
from lab.evaluation import workloads
from lab.evaluation.budgets import budget_of
from lab.evaluation.deployment import SPREAD, STEER, Conditions, instances_of
from lab.evaluation.subjects import names, subject
from lab.evaluation.tasks import Task, run
from lab.evaluation.workloads import capture, preset
from simulator import metrics
from tests.captures import pcap

SMALL = preset("zipf-1.0", 20_000)


def write_pcap(path: Path, packets: int) -> Path:
    """Write UDP packets of five senders."""
    frames = [
        bytes(12)
        + bytes.fromhex("0800 4500 001c 0000 0000 4011 0000")
        + bytes([10, 0, 0, 1 + number % 5, 10, 0, 0, 9])
        + bytes.fromhex("0035 0035 0008 0000")
        for number in range(packets)
    ]
    path.write_bytes(pcap((number * 1000, frame, 42) for number, frame in enumerate(frames)))
    return path


def test_a_task_gives_the_same_row_again() -> None:
    task = Task(SMALL, "src", "tfm", 0.2, seed=3)
    assert run(task) == run(task)


def test_tasks_that_differ_have_different_ids() -> None:
    task = Task(SMALL, "src", "tfm", 0.1, seed=3)
    others = {
        Task(SMALL, "flow", "tfm", 0.1, 3).id,
        Task(SMALL, "src", "salsa", 0.1, 3).id,
        Task(SMALL, "src", "tfm", 0.2, 3).id,
        Task(SMALL, "src", "tfm", 0.1, 4).id,
        Task(preset("zipf-1.0", 30_000), "src", "tfm", 0.1, 3).id,
    }
    assert task.id not in others
    assert len(others) == 5


@pytest.mark.parametrize("name", names())
def test_every_subject_keeps_its_budget_and_has_every_measure(name: str) -> None:
    row = run(Task(SMALL, "src", name, 0.2, seed=1))
    assert row["problem"] is None
    assert row["memory_bytes"] <= row["budget_bytes"]
    assert row["weighted"] <= 1
    assert row["one_minus_are"] is not None


def test_a_hash_map_with_room_for_all_keys_is_exact() -> None:
    row = run(Task(SMALL, "src", "hash", 1.0, seed=1))
    assert row["one_minus_are"] == row["weighted"] == row["heavy_hitter_f1"] == 1
    assert row["memory_bytes"] == row["reference_bytes"]


def test_a_hash_map_that_is_full_is_charged_with_the_keys_it_refused() -> None:
    window = SMALL.window(1)
    keys, packets, _ = metrics.truth(window.keys("src"))
    budget = budget_of("hash", len(keys) // 2, "src")
    answer = subject("hash")(window, keys, Conditions("src", budget))
    kept = int((answer.counts > 0).sum())
    assert 0 < kept < len(keys)
    np.testing.assert_array_equal(answer.counts[:kept], packets[:kept])
    assert answer.memory <= budget


def test_a_budget_too_small_is_a_gap_that_is_named() -> None:
    row = run(Task(SMALL, "src", "tfm", 0.0001, seed=1))
    assert "at least" in row["problem"]
    assert row["weighted"] is None


def test_an_unknown_sketch_is_named() -> None:
    with pytest.raises(ValueError, match="unknown sketch 'nothing'; there is tfm"):
        subject("nothing")


def test_steered_keys_stay_on_one_instance_and_spread_ones_do_not() -> None:
    keys = np.repeat(SMALL.window(1).keys("src")[:50], 4, axis=0)
    steered = instances_of(keys, 2, STEER).reshape(-1, 4)
    assert (steered == steered[:, :1]).all()
    assert set(instances_of(keys, 2, SPREAD).tolist()) == {0, 1}


def test_references_are_the_kernels_own_formula() -> None:
    assert budget_of("hash", 1000, "src", 2) == memory.hash_bytes(1000, 16, 16, 2)
    assert budget_of("double_hash", 1000, "src", 2) == 2 * budget_of("hash", 1000, "src", 2)
    assert budget_of("percpu_hash", 1000, "flow", 4) == 1024 * 16 + 1000 * (48 + 40 + 8 + 4 * 16)
    with pytest.raises(ValueError, match="unknown reference"):
        budget_of("tree", 1, "src")


def test_a_capture_is_one_window_of_its_ip_packets(tmp_path: Path) -> None:
    path = write_pcap(tmp_path / "few.pcap", packets=50)
    workload = capture(path)
    assert workload.name == "trace-few"
    assert len(workload.window(1).flows) == len(workload.window(2).flows) > 0


def test_a_missing_capture_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no capture"):
        capture(tmp_path / "absent.pcap")


def test_captures_come_from_the_directory_that_the_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("no capture")
    write_pcap(tmp_path / "b.pcap", packets=5)
    monkeypatch.setenv(workloads.VARIABLE, str(tmp_path))
    assert [workload.name for workload in workloads.provided()] == ["trace-b"]
    monkeypatch.setenv(workloads.VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(UsageError_, match="names no directory"):
        workloads.provided()
