from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, cast

import pytest

from tests.recorder import load
from verifier_diary import journal, watch_command
from verifier_diary.flight_recorder import FlightRecorder
from verifier_diary.recorded import Recorded, recorded
from verifier_diary.recorder_program import Counts
from verifier_diary.retries import Sighting
from verifier_diary.watching import Watching

CUT = {"log_cut": True}
NOT_ALLOWED = {"errno": errno.EPERM, "log_level": 0, "may_load": False}
TOO_SMALL = {"errno": errno.ENOSPC, "log": "1: (95) exit\nprocessed 2 insns (limit 1000000) "}
ACCEPTED = {"errno": 0, "log": ""}


class FakeRecorder:
    """Gives out these loads at the first poll."""

    def __init__(self, *changes: dict[str, Any], lost: int = 0) -> None:
        self.coming = [recorded(Sighting([load(**c)])) for c in changes]
        self.counts = Counts(len(changes) + lost, lost)
        self.damaged = 0

    def poll(self, _: float) -> list[Recorded]:
        coming, self.coming = self.coming, []
        return coming

    def rest(self) -> list[Recorded]:
        return []

    def drain(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))


def watched(*changes: dict[str, Any], lost: int = 0) -> Watching:
    watching = Watching(cast("FlightRecorder", FakeRecorder(*changes, lost=lost)))
    for one in watching.poll(0):
        watching.keep(one)
    return watching


@pytest.mark.parametrize(
    ("changes", "lost", "said"),
    [
        ([], 0, "0 rejections, 0 lost"),
        ([{}], 0, "1 rejection, 0 lost"),
        ([{}, CUT], 1200, "2 rejections, 1 log not whole, 1,200 lost"),
        ([NOT_ALLOWED], 0, "0 rejections, 1 without permission (not in the journal), 0 lost"),
        ([{}, ACCEPTED], 0, "1 rejection, 1 cure (accepted after a rejection), 0 lost"),
        (
            [TOO_SMALL],
            0,
            "0 rejections, 1 with a log too large for its buffer (not judged), 0 lost",
        ),
    ],
)
def test_the_summary_says_what_was_seen_and_lost(
    changes: list[dict[str, Any]], lost: int, said: str
) -> None:
    watching = watched(*changes, lost=lost)
    assert watching.summary() == f"{said}; journal: {journal.directory()}"


def test_the_account_has_the_same_numbers_for_programs() -> None:
    assert watched({}, CUT, NOT_ALLOWED, TOO_SMALL, ACCEPTED, lost=7).account() == {
        "rejected": 2,
        "accepted": 1,
        "without_permission": 1,
        "not_judged": 1,
        "logs_not_whole": 1,
        "lost": 7,
        "unwritten": 0,
    }


def test_only_verdicts_are_written() -> None:
    watched({}, ACCEPTED, NOT_ALLOWED, TOO_SMALL)
    assert [a.accepted for a in journal.read(journal.directory())] == [False, True]


def test_what_the_journal_cannot_take_is_counted(tmp_path: Path, capsys) -> None:
    (tmp_path / "journal").write_text("a file")
    assert watched({}).account()["unwritten"] == 1
    assert "the journal lost one attempt" in capsys.readouterr().err


def test_lost_loads_are_told_at_once_and_once(capsys) -> None:
    watching = watched({}, lost=3)
    turns = iter([True, True, False])
    watch_command._loop(watching, lambda: next(turns), lambda _: None)
    assert capsys.readouterr().err == (
        "warning: 3 failed loads lost: they came faster than they could be read\n"
    )


def test_what_is_shown_was_kept_before() -> None:
    watching = Watching(cast("FlightRecorder", FakeRecorder({})))
    turns = iter([True, False])
    shown: list[int] = []
    watch_command._loop(
        watching,
        lambda: next(turns),
        lambda _: shown.append(len(list(journal.read(journal.directory())))),
    )
    assert shown == [1]
