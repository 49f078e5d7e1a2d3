from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.recorder import load
from verifier_diary import journal, pytest_watch
from verifier_diary.own_records import OwnRecord
from verifier_diary.processes import Process
from verifier_diary.pytest_watch import Phase, Watch
from verifier_diary.recorded import Recorded, recorded
from verifier_diary.recorder_program import Counts
from verifier_diary.retries import Sighting

DEADLINE_S = 30
HERE = os.getpid()


class FakeRecorder:
    """Gives out what it is given."""

    def __init__(self, *, tree: bool) -> None:
        assert tree
        self.coming: list[Recorded] = []
        self.left: list[Recorded] = []
        self.problem: Exception | None = None
        self.polls, self.damaged, self.closed = 0, 0, False
        self.counts = Counts(0, 0)

    def poll(self, _: float) -> list[Recorded]:
        if self.problem:
            raise self.problem
        time.sleep(0.001)
        self.polls += 1
        coming, self.coming = self.coming, []
        return coming

    def rest(self) -> list[Recorded]:
        return self.left

    def drain(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path))
    monkeypatch.setattr(pytest_watch, "FlightRecorder", FakeRecorder)
    return Watch(journal.append)


def recorder(watch: Watch) -> FakeRecorder:
    assert isinstance(watch._recorder, FakeRecorder)
    return watch._recorder


def one(pid: int, time_ns: int = 50, test: str | None = None, name: str = "prog") -> Recorded:
    made = recorded(Sighting([load(tgid=pid, name=name, process=Process(("x",), test))]))
    return replace(made, time_ns=time_ns)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def written(folder: Path) -> dict[str, str | None]:
    return {a.program.function: a.origin.test for a in journal.read(folder)}


def test_a_child_is_known_by_its_environment(watch: Watch, tmp_path: Path) -> None:
    recorder(watch).coming = [one(5, test="t.py::test_child")]
    wait(lambda: bool(written(tmp_path)))
    watch.stop()
    assert written(tmp_path) == {"prog": "t.py::test_child"}


@pytest.mark.parametrize("pid", [HERE, HERE + 1], ids=["this process", "a worker"])
def test_a_test_process_is_known_by_when_its_tests_ran(
    watch: Watch, tmp_path: Path, pid: int
) -> None:
    inherited = "outer.py::test_outer" if pid == HERE else None
    recorder(watch).coming = [one(pid, test=inherited)]
    polls = recorder(watch).polls
    wait(lambda: recorder(watch).polls > polls + 2)
    assert not written(tmp_path)
    watch.phase(Phase("t.py::test_before", pid, 0, 40), [])
    watch.phase(Phase("t.py::test_it", pid, 41, 60), [])
    wait(lambda: bool(written(tmp_path)))
    watch.stop()
    assert written(tmp_path) == {"prog": "t.py::test_it"}


def test_what_belongs_to_no_test_is_written_at_the_end(watch: Watch, tmp_path: Path) -> None:
    recorder(watch).coming = [one(5, name="early")]
    recorder(watch).left = [one(HERE, name="late")]
    wait(lambda: not recorder(watch).coming)
    summary = watch.stop()
    assert written(tmp_path) == {"early": None, "late": None}
    assert summary == f"2 rejections, 0 lost; journal: {tmp_path}"


def test_what_a_test_wrote_itself_is_not_written_again(watch: Watch, tmp_path: Path) -> None:
    own = OwnRecord(HERE, "prog", "c" * 64, accepted=False)
    recorder(watch).coming = [one(HERE)]
    watch.phase(Phase("t.py::test_it", HERE, 0, 100), [own])
    wait(lambda: not recorder(watch).coming)
    assert watch.stop().startswith("1 rejection,")
    assert written(tmp_path) == {}


def test_a_recorder_that_fails_is_reported_and_closed(watch: Watch) -> None:
    recorder(watch).problem = RuntimeError("it broke")
    wait(lambda: not watch._thread.is_alive())
    assert watch.stop().endswith("; it failed: it broke")
    assert recorder(watch).closed
