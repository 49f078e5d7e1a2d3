from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from verifier_diary import journal

ROOT = Path(__file__).parents[3]
TESTS = """
from verifier_diary import journal
from verifier_diary.model import Attempt, Program
from verifier_diary.origin import Origin


def load(name, **more):
    values = {"accepted": False, "origin": Origin.here(), **more}
    journal.append(Attempt(Program(name), **values))


def test_one():
    load("good", accepted=True)


def test_two():
    load("bad")
    load("wanted", expected=True)
"""
FORBIDDEN = """
from verifier_diary import pytest_watch
from verifier_diary.recorder_setup import RecorderForbidden


def forbidden(**_):
    raise RecorderForbidden("it takes root", try_="sudo")


pytest_watch.FlightRecorder = forbidden
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(TESTS)
    return tmp_path


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "GLIMPSE_JOURNAL": str(project / "journal"),
        "PYTEST_ADDOPTS": "",
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "verifier_diary.pytest_plugin", *options],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def summary(done: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"^verifier diary: (.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return found[1]


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_the_run_ends_with_what_was_loaded_and_where_it_is(
    project: Path, options: list[str]
) -> None:
    done = run(project, *options)
    assert done.returncode == 0, done.stdout
    assert summary(done) == (
        f"1 accepted, 2 rejected (1 of them expected); journal: {project / 'journal'}"
    )


def test_each_attempt_has_the_node_id_of_its_test(project: Path) -> None:
    run(project)
    tests = {a.program.function: a.origin.test for a in journal.read(project / "journal")}
    assert tests == {
        "good": "test_it.py::test_one",
        "bad": "test_it.py::test_two",
        "wanted": "test_it.py::test_two",
    }


def test_a_run_without_loads_says_so(project: Path) -> None:
    assert summary(run(project, "-k", "nothing")).startswith("0 accepted, 0 rejected; journal:")


def test_a_load_at_the_end_of_the_session_is_counted(project: Path) -> None:
    (project / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(autouse=True, scope='session')\ndef late():\n"
        "    yield\n    from test_it import load\n    load('late', accepted=True)\n"
    )
    assert summary(run(project)).startswith("2 accepted")


def test_several_journals_are_counted(project: Path) -> None:
    (project / "test_it.py").write_text(
        TESTS + "\n\ndef test_elsewhere(monkeypatch, tmp_path):\n"
        "    monkeypatch.setenv('GLIMPSE_JOURNAL', str(tmp_path))\n    load('bad')\n"
    )
    assert summary(run(project)).endswith(f"journal: {project / 'journal'} and 1 more")


def test_the_recorder_is_not_started_unless_asked_for(project: Path) -> None:
    (project / "conftest.py").write_text(FORBIDDEN)
    assert run(project).returncode == 0


def test_a_recorder_that_cannot_start_ends_the_run_with_what_to_do(project: Path) -> None:
    (project / "conftest.py").write_text(FORBIDDEN)
    done = run(project, "--diary-watch")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--diary-watch: it takes root; try: sudo" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_collecting_starts_no_recorder(project: Path) -> None:
    (project / "conftest.py").write_text(FORBIDDEN)
    assert run(project, "--diary-watch", "--collect-only").returncode == 0
