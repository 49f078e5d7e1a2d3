"""Pinned threads, the machine's record, and how calm it was."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from lab.bench import environment
from lab.bench.pinned import bench_cpus, on_each

STAT = "cpu {} 0 0 {} 0 0 0 {} 0 0\n"


def test_one_cpu_is_the_first_and_all_are_all() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    assert bench_cpus("1") == allowed[:1]
    assert bench_cpus("all") == allowed


def test_each_thread_is_pinned_and_this_one_is_not() -> None:
    before = os.sched_getaffinity(0)
    cpus = bench_cpus("all")
    assert on_each(cpus, lambda i: os.sched_getaffinity(0)) == [{cpu} for cpu in cpus]
    assert os.sched_getaffinity(0) == before


def test_threads_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=30)  # breaks if one ends before the other begins
    cpu = bench_cpus("1")[0]
    assert sorted(on_each([cpu, cpu], lambda i: meeting.wait() >= 0 and i)) == [0, 1]


def test_failure_of_one_thread_is_raised() -> None:
    def work(i: int) -> None:
        if i == 1:
            raise OSError("the second one")

    cpu = bench_cpus("1")[0]
    with pytest.raises(OSError, match="the second one"):
        on_each([cpu, cpu], work)


def test_machine_reads_what_is_there_and_leaves_the_rest_empty(tmp_path: Path) -> None:
    folder = tmp_path / "sys/devices/system/cpu/vulnerabilities"
    folder.mkdir(parents=True)
    (folder / "retbleed").write_text("Not affected\n")
    found = environment.machine(5, tmp_path)
    assert found["mitigations"] == {"retbleed": "Not affected"}
    assert found["governor"] is None
    assert found["caches"] is None
    assert found["hypervisor"] is False
    assert found["seed"] == 5


def test_calm_tells_the_time_that_the_host_stole(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    stat = tmp_path / "proc/stat"
    stat.write_text(STAT.format(100, 1000, 10))
    calm = environment.Calm(tmp_path)
    stat.write_text(STAT.format(400, 1600, 110))
    found = calm.record()
    assert found["steal_share"] == pytest.approx(0.1)
    assert found["others_share"] == pytest.approx(0.3, abs=0.01)


def test_calm_says_nothing_where_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert environment.Calm(tmp_path).record()["steal_share"] is None
