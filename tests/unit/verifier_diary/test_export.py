from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, accepted, rejected
from verifier_diary import journal
from verifier_diary.export import export
from verifier_diary.exported import read
from verifier_diary.generated import Change
from verifier_diary.model import Attempt
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
    (entry,) = read(tmp_path / "out")
    assert change == Change(f"packet_bounds-{entry.id}.json", "new")


def test_an_export_holds_what_a_page_needs(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), accepted())
    (entry,) = read(tmp_path / "out")
    assert (entry.class_id, entry.program, entry.kernels) == ("packet_bounds", "first", ["6.18.44"])
    assert entry.place == "bpf/first.bpf.c:4"
    assert entry.record["reason"]
    assert "+\tif (data + 1 > end)" in entry.record["cure"]["diff"]
    assert entry.record["log"][-1] == LOG.splitlines()[-1]
    assert "pid" not in json.dumps(entry.record)


def test_the_same_journal_gives_the_same_files(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), accepted())
    assert exported(tmp_path / "out") == []


def test_a_text_changes_by_lines(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(), accepted())
    (path,) = (tmp_path / "out").iterdir()
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


def test_an_expected_rejection_is_marked(tmp_path: Path) -> None:
    exported(tmp_path / "out", rejected(expected=True))
    (entry,) = read(tmp_path / "out")
    assert entry.record["expected"] is True


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
    with pytest.raises(BadLog, match=r"bad\.json is no exported entry"):
        read(tmp_path)
