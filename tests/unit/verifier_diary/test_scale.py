from __future__ import annotations

from pathlib import Path

import pytest

from tests.diary import LOG, rejected
from verifier_diary import journal, scale
from verifier_diary.entries import entries
from verifier_diary.export import lessons_folder
from verifier_diary.scale import filled, main, synthetic
from verifier_diary.store import Store


@pytest.fixture
def _lessons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    for attempt in (rejected(expected=True), rejected(1, LOG.replace("packet", "map value"))):
        journal.append(attempt, lessons_folder())


@pytest.mark.usefixtures("_lessons")
def test_every_synthetic_rejection_is_an_entry_of_its_own(tmp_path: Path) -> None:
    filled(tmp_path / "diary.db", 7)
    with Store(tmp_path / "diary.db") as store:
        found = entries(store)
    assert sorted(entry.program or "" for entry in found) == [
        f"synthetic_{number:06}" for number in range(7)
    ]
    assert {entry.sightings for entry in found} == {1}


def test_a_synthetic_rejection_is_like_its_template_and_says_what_it_is() -> None:
    made = synthetic(rejected(expected=True), 42)
    assert "; return data[0]; /* 42 */ @ " in made.log
    assert made.program.function == "synthetic_000042"
    assert not made.expected


@pytest.mark.usefixtures("_lessons")
def test_the_times_are_printed(capsys, monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(scale, "_run", lambda command: opened.append(command[2]))
    assert main(["--entries", "4"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 synthetic entries, ")
    for what in ("search packet (", "list all ", "open the browser"):
        assert f"\n{what}" in out
    assert opened[0] == "verifier_diary.browser.first_screen"


def test_without_recorded_lessons_it_says_how_to_record_them(
    capsys, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path))
    assert main(["--entries", "4"]) == 7
    assert capsys.readouterr().err == (
        f"error: no lessons are recorded in {tmp_path / 'lessons'}\n"
        "try: as root: lab diary lessons\n"
    )
