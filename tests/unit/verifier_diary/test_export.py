from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, SOURCE, accepted, rejected
from verifier_diary import journal
from verifier_diary.export import export, lessons_folder
from verifier_diary.exported import read
from verifier_diary.generated import Change
from verifier_diary.model import Attempt, SourceText, Stats
from verifier_diary.origin import Git, Kernel
from verifier_diary.store_errors import BadLog


@pytest.fixture(autouse=True)
def _journal(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))


def exported(folder: Path, *attempts: Attempt) -> list[Change]:
    for attempt in attempts:
        journal.append(attempt)
    return export(folder, pytest.fail)


def test_an_entry_is_a_file_named_by_class_and_id(tmp_path: Path) -> None:
    (change,) = exported(tmp_path / "out", rejected())
    (entry,) = read(tmp_path / "out").entries
    assert change == Change(f"packet_bounds-{entry.id}.json", "new")


def test_an_export_holds_what_a_page_needs(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), accepted())
    (entry,) = read(tmp_path / "out").entries
    assert (entry.class_id, entry.program, entry.kernels) == ("packet_bounds", "first", ["6.18.44"])
    assert entry.place == "bpf/first.bpf.c:4"
    assert entry.record["reason"]
    assert "+\tif (data + 1 > end)" in entry.record["cure"]["diff"]
    assert entry.record["log"][-1] == LOG.splitlines()[-1]
    assert "pid" not in json.dumps(entry.record)


def test_the_same_journal_gives_the_same_files(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), accepted())
    assert exported(tmp_path / "out") == []
    export(tmp_path / "again", pytest.fail)
    first, again = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        for folder in ("out", "again")
    )
    assert first == again


def test_a_text_changes_by_lines(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), accepted())
    (path,) = (tmp_path / "out").glob("*.json")
    assert path.read_text().count("\n") > 60
    assert max(map(len, path.read_text().splitlines())) < 600


def test_another_sighting_changes_one_file(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), rejected(1, LOG.replace(LINE, "return data[1];")))
    (change,) = exported(tmp_path / "out", rejected(2))
    assert change.change == "changed"


def test_an_entry_that_is_gone_is_removed(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected())
    (tmp_path / "out" / "notes.json").write_text("{}")
    for path in (tmp_path / "journal").glob("*.jsonl"):
        path.unlink()
    changes = exported(tmp_path / "out", rejected(0, LOG.replace(LINE, "return data[1];")))
    assert sorted(change.change for change in changes) == ["new", "removed"]
    assert (tmp_path / "out" / "notes.json").exists()


def test_the_persons_diary_is_not_exported(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", str(tmp_path / "diary.db"))
    exported(tmp_path / "out", rejected())
    assert not (tmp_path / "diary.db").exists()


def lesson(minute: int, **changes: object) -> Attempt:
    attempt = rejected(minute, expected=True, **changes)
    journal.append(attempt, lessons_folder())
    return attempt


def test_lessons_come_from_their_own_record(tmp_path: Path) -> None:
    lesson(3)
    exported(tmp_path / "out", rejected(0, LOG.replace(LINE, "return data[1];")))
    found = read(tmp_path / "out")
    assert [entry.record["source_line"] for entry in found.lessons] == [LINE]
    assert [entry.record["source_line"] for entry in found.met] == ["return data[1];"]


def test_whoever_tries_a_lesson_does_not_change_the_export(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(0, LOG.replace(LINE, "return data[1];")))
    lesson(3)
    exported(tmp_path / "out")
    assert exported(tmp_path / "out", rejected(1, expected=True), rejected(4, expected=True)) == []


def test_what_was_met_and_is_a_lesson_too_was_seen_twice(tmp_path: Path) -> None:
    lesson(3)
    exported(tmp_path / "out", rejected(0), rejected(1, expected=True))
    (entry,) = read(tmp_path / "out").entries
    assert (entry.record["sightings"], entry.expected) == (2, False)


def test_the_first_of_many_sightings_is_named(tmp_path: Path) -> None:
    first = rejected(0, git=Git("2" * 40, True), kernel=Kernel("6.1", "x86_64"))
    exported(tmp_path / "out", first, *(rejected(minute) for minute in range(1, 130)))
    (entry,) = read(tmp_path / "out").entries
    assert entry.record["first_seen_by"]["revision"] == "2" * 40
    assert entry.kernels == ["6.1", "6.18.44"]


def test_registers_are_said_in_words(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected())
    (entry,) = read(tmp_path / "out").entries
    assert {
        "name": "R1",
        "printed": "R1=pkt(r=0)",
        "in_words": "a packet pointer, no byte known",
    } in entry.record["registers"]


def cost(minute: int, instructions: int, path: str = "bpf/first.bpf.c") -> Attempt:
    stats = Stats(instructions=instructions, limit=1_000_000, states=3)
    sources = (SourceText.of(path, SOURCE),)
    return accepted(minute, stats=stats, object_sha256=str(minute), sources=sources)


def test_what_programs_cost_is_written_when_it_changes(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), cost(1, 900), cost(2, 900), cost(3, 800))
    costs = [(size.program, size.instructions) for size in read(tmp_path / "out").programs]
    assert costs == [("first:first", 900), ("first:first", 800)]


@pytest.mark.parametrize("path", ["/tmp/first.bpf.c", "bpf/lessons/first.bpf.c"])
def test_strangers_and_lessons_are_no_programs_of_ours(tmp_path: Path, path: str) -> None:
    exported(tmp_path / "out", rejected(), cost(1, 900, path))
    assert read(tmp_path / "out").programs == []


def test_an_entry_whose_log_is_not_in_this_clone_stays_as_it_is(tmp_path: Path) -> None:
    notes = "".join(f"; note {number}\n" for number in range(90_000))
    exported(tmp_path / "out", rejected(log=LOG.replace("1: (71)", f"{notes}1: (71)")))
    (text,) = (tmp_path / "journal" / "texts").glob("*.gz")
    text.unlink()
    told: list[str] = []
    assert export(tmp_path / "out", told.append) == []
    assert told == ["the log of first is not in this clone; its entry stays as it is"]
    assert len(read(tmp_path / "out").entries) == 1


def test_no_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match=r"no journal to export in .*journal") as caught:
        exported(tmp_path / "out")
    assert caught.value.try_ == "lab verify FILE.c writes one"


def test_no_exported_entries_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match="no exported entries are in") as caught:
        read(tmp_path)
    assert caught.value.try_ == "lab diary export"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 99}'])
def test_a_damaged_export_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(BadLog, match=r"bad\.json is no exported entry") as caught:
        read(tmp_path)
    assert caught.value.try_ == "lab diary export writes it anew"


def test_damaged_costs_are_named(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), cost(1, 900))
    (tmp_path / "out" / "programs.jsonl").write_text('{"program": "x"}\n')
    with pytest.raises(BadLog, match=r"programs\.jsonl is no exported entry"):
        read(tmp_path / "out")
