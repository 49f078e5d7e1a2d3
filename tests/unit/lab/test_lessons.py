from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab import lessons
from lab.lessons import Recorded, ask, take_over
from lab.verify.check import Verification, verdict_of
from tests.diary import accepted, rejected, time
from verifier_diary import journal
from verifier_diary.model import Attempt, Program, SourceText
from verifier_diary.origin import Kernel as KernelOf

KERNEL = "6.18.44"
SOURCE = Path("bpf/lessons/loop.bpf.c")


class Kernel:
    """Judges as it is told, and writes into the journal as the loader does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bad_accepted, self.good_accepted, self.text = False, True, "int x;\n"
        self.minute = 0
        monkeypatch.setattr(lessons, "verify", self.verify)

    def verify(self, path: Path) -> Verification:
        attempts = [self._judge("bad", self.bad_accepted), self._judge("good", self.good_accepted)]
        for attempt in attempts:
            journal.append(attempt)
        return Verification(path, tuple(map(verdict_of, attempts)), "", ())

    def _judge(self, which: str, takes: bool) -> Attempt:
        self.minute += 1
        attempt = accepted(self.minute) if takes else rejected(self.minute)
        program = Program(f"loop_{which}", "loop", "xdp", "xdp")
        return replace(attempt, program=program, sources=(SourceText.of(str(SOURCE), self.text),))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


def recorded(folder: Path, kernel: str = KERNEL) -> Recorded:
    (outcome,) = ask([SOURCE], folder, kernel, lambda steps: None)
    return outcome


def programs(folder: Path) -> list[str]:
    return [attempt.program.function for attempt in journal.read(folder)]


@pytest.mark.usefixtures("kernel")
def test_both_programs_are_recorded_with_their_source(tmp_path: Path) -> None:
    assert recorded(tmp_path) == Recorded(KERNEL, "loop", "new")
    assert programs(tmp_path) == ["loop_bad", "loop_good"]
    (attempt, _) = journal.read(tmp_path)
    assert attempt.sources[0].text == "int x;\n"


@pytest.mark.usefixtures("kernel")
def test_recording_again_changes_nothing(tmp_path: Path) -> None:
    recorded(tmp_path)
    before = (tmp_path / f"{KERNEL}.jsonl").read_bytes()
    assert recorded(tmp_path).change == "unchanged"
    assert (tmp_path / f"{KERNEL}.jsonl").read_bytes() == before


def test_a_lesson_that_changed_replaces_both_of_its_records(tmp_path: Path, kernel: Kernel) -> None:
    recorded(tmp_path)
    kernel.text = "int y;\n"
    assert recorded(tmp_path).change == "changed"
    assert programs(tmp_path) == ["loop_bad", "loop_good"]
    assert [path.read_text() for path in (tmp_path / "texts").iterdir()] == ["int y;\n"]


@pytest.mark.usefixtures("kernel")
def test_every_kernel_has_a_file_of_its_own(tmp_path: Path) -> None:
    recorded(tmp_path)
    assert recorded(tmp_path, "7.3.4").change == "new"
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == [
        "6.18.44.jsonl",
        "7.3.4.jsonl",
    ]


@pytest.mark.parametrize(
    ("bad", "good", "reason"),
    [
        (True, True, "its bad program is accepted"),
        (False, False, "its good program is refused: invalid access to packet, off=0 size=1, "),
    ],
)
def test_a_lesson_that_teaches_nothing_here_is_left_out(
    tmp_path: Path, kernel: Kernel, bad: bool, good: bool, reason: str
) -> None:
    recorded(tmp_path)
    kernel.bad_accepted, kernel.good_accepted = bad, good
    outcome = recorded(tmp_path)
    assert outcome.change == "left out"
    assert (outcome.reason or "").startswith(reason)
    assert programs(tmp_path) == []


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A lesson in a checkout of its own."""
    path = tmp_path / SOURCE
    path.parent.mkdir(parents=True)
    path.write_text("int x;\n")
    monkeypatch.setattr(lessons, "relative", lambda path: str(path.relative_to(tmp_path)))
    return path


def elsewhere(kernel: Kernel, journal_folder: Path, release: str) -> None:
    """Have the matrix ask another kernel."""
    for which, takes in (("bad", kernel.bad_accepted), ("good", kernel.good_accepted)):
        attempt = replace(kernel._judge(which, takes), kernel=KernelOf(release, "x86_64"))
        journal.append(attempt, journal_folder)


def test_what_other_kernels_said_to_the_matrix_is_taken_over(
    kernel: Kernel, source: Path, tmp_path: Path
) -> None:
    elsewhere(kernel, tmp_path / "journal", "5.15.0")
    elsewhere(kernel, tmp_path / "journal", KERNEL)
    found = take_over([source], tmp_path / "lessons", tmp_path / "journal", KERNEL)
    assert found == [Recorded("5.15.0", "loop", "new")]
    bad, good = journal.read(tmp_path / "lessons" / "5.15.0.jsonl")
    assert (bad.accepted, good.accepted, good.sources[0].text) == (False, True, "int x;\n")


def test_what_was_said_of_an_older_source_is_not_taken_over(
    kernel: Kernel, source: Path, tmp_path: Path
) -> None:
    folder, other = tmp_path / "lessons", tmp_path / "journal"
    for text in ("int older;\n", "int x;\n", "int older_still;\n"):
        kernel.text = text
        elsewhere(kernel, other, "5.15.0")
    for _ in range(2):
        take_over([source], folder, other, KERNEL)
        assert [attempt.time for attempt in journal.read(folder)] == [time(3), time(4)]
    source.write_text("int newest;\n")
    take_over([source], folder, other, KERNEL)
    assert list(folder.glob("*.jsonl")) == []


def test_a_lesson_that_teaches_nothing_elsewhere_is_not_taken_over(
    kernel: Kernel, source: Path, tmp_path: Path
) -> None:
    kernel.good_accepted = False
    elsewhere(kernel, tmp_path / "journal", "5.15.0")
    assert take_over([source], tmp_path / "lessons", tmp_path / "journal", KERNEL) == []


@pytest.mark.usefixtures("kernel")
def test_the_persons_journal_is_not_touched(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "mine"))
    recorded(tmp_path / "lessons")
    assert not (tmp_path / "mine").exists()
    assert json.loads((tmp_path / "lessons" / f"{KERNEL}.jsonl").read_text().splitlines()[0])["id"]
