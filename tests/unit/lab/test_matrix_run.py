"""Every kernel is asked, whatever the others do."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from lab.build import Build
from lab.cli import run as lab
from lab.errors import Busy, PermissionProblem
from lab.matrix import here, programs, run, stored_tests
from lab.matrix.kernel_list import KernelEntry
from lab.matrix.programs import Listed
from lab.matrix.run import Work

HELLO = Listed("hello", "hello", Build("hello", Path("hello.bpf.o")))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work((HELLO,), (), tmp_path / "payload", tmp_path / "cache", tell=lambda text: None)


def test_kernels_that_cannot_be_asked_keep_no_other_from_it(work: Work, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no kernel")
    entries = [
        KernelEntry("missing", path=tmp_path / "nowhere"),
        KernelEntry("text", path=tmp_path / "text"),
    ]
    outcomes = run.run(entries, work, jobs=1)
    assert [outcome.name for outcome in outcomes] == ["missing", "text"]
    for outcome in outcomes:
        assert outcome.exit_code == 3
        assert outcome.problem is not None
        assert [cell.verdict for cell in outcome.cells] == ["error"]
        assert outcome.cells[0].message == outcome.problem.text


def test_without_privilege_the_running_kernel_says_so(monkeypatch, work: Work) -> None:
    monkeypatch.setattr("lab.privilege.missing_capabilities", lambda *a: ("CAP_BPF",))
    (outcome,) = run.run([KernelEntry("running", running=True)], work, jobs=1)
    assert outcome.exit_code == 4
    assert outcome.problem is not None
    assert outcome.problem.text == (
        "the running kernel needs CAP_BPF, which this process does not have"
    )
    with pytest.raises(PermissionProblem) as error:
        here.check()
    assert error.value.try_ == "run it with sudo, or leave it out: lab matrix --only NAME"


def test_two_at_once_would_write_the_same_files(work: Work) -> None:
    folder = work.cache / "matrix"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="another `lab matrix` is running"):
            run.run([], work, jobs=1)


def test_an_interrupt_ends_those_that_are_being_asked(monkeypatch, work: Work) -> None:
    begun, ended = threading.Event(), threading.Event()

    def ask(entry: KernelEntry, work: Work) -> None:
        if entry.name == "first":
            begun.wait(10)
            raise KeyboardInterrupt
        begun.set()
        work.stop.wait(10)
        ended.set()

    monkeypatch.setattr(run, "ask", ask)
    entries = [KernelEntry(name, running=True) for name in ("first", "second")]
    with pytest.raises(KeyboardInterrupt):
        run.run(entries, work, jobs=2)
    assert ended.is_set()


@pytest.fixture
def without_programs(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "listed", lambda: ())
    monkeypatch.setattr(stored_tests, "stored_tests", lambda: [])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("without_programs")
def test_the_command_ends_with_3_and_names_every_kernel(capsys, tmp_path: Path) -> None:
    (tmp_path / "kernels.toml").write_text(
        '[[kernel]]\nname = "a"\npath = "gone"\n[[kernel]]\nname = "b"\npath = "kernels.toml"\n'
    )
    assert lab(["matrix", "--kernels", str(tmp_path / "kernels.toml"), "--format", "json"]) == 3
    out, err = capsys.readouterr()
    assert '"results": []' in out
    error, advice = err.splitlines()[-2:]
    assert error == (
        f"error: a: the kernel image {tmp_path}/gone cannot be read: no such file or directory; "
        f"b: {tmp_path}/kernels.toml is no kernel image that can be booted "
        "(it lacks the header of a bzImage)"
    )
    assert advice == (
        "try: correct its path in the kernel list; name a vmlinuz or bzImage for x86-64"
    )


def test_an_unknown_kernel_is_a_usage_error(capsys) -> None:
    assert lab(["matrix", "--only", "5.4"]) == 2
    assert capsys.readouterr().err == (
        "error: the list has no kernel '5.4'\ntry: one of: running, 6.1, 6.12\n"
    )
