from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, accepted, rejected, time
from verifier_diary import journal
from verifier_diary.attempts import attempt
from verifier_diary.entries import entries, entry, sightings
from verifier_diary.journal_files import journals, waiting
from verifier_diary.journal_import import import_file
from verifier_diary.model import SCHEMA, Attempt
from verifier_diary.origin import Origin
from verifier_diary.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def brought_in(store: Store, folder: Path) -> list[str]:
    """Import what is new, and return the complaints."""
    complaints: list[str] = []
    for file in waiting(store, [folder]):
        for _ in import_file(store, file, complaints.append):
            pass
    return complaints


def write(folder: Path, *attempts: Attempt) -> Path:
    for one in attempts:
        path = journal.append(one, folder)
    assert path is not None
    return path


def test_the_journals_rejections_are_entries(store: Store, folder: Path) -> None:
    write(folder, first := rejected(), accepted())
    assert brought_in(store, folder) == []
    (found,) = entries(store)
    assert found.cured_by is not None
    assert attempt(store, first.id) == first


def test_only_new_lines_are_read(store: Store, folder: Path) -> None:
    path = write(folder, rejected(0))
    brought_in(store, folder)
    size = path.stat().st_size
    assert waiting(store, [folder]) == []
    write(folder, rejected(1))
    (file,) = waiting(store, [folder])
    assert (file.path, file.start) == (path, size)
    brought_in(store, folder)
    assert [found.sightings for found in entries(store)] == [2]


def test_a_repeat_of_a_line_that_was_read_before_is_filed(store: Store, folder: Path) -> None:
    write(folder, rejected(0))
    brought_in(store, folder)
    path = write(folder, rejected(7, origin=Origin(("again",))))
    assert "repeat" in json.loads(path.read_text().splitlines()[-1])
    brought_in(store, folder)
    (found,) = entries(store)
    newest = sightings(store, found.id)[0]
    assert (newest.time, newest.command) == (time(7), "again")


def test_a_repeat_within_one_batch_is_filed(store: Store, folder: Path) -> None:
    write(folder, rejected(0), rejected(1), rejected(2))
    brought_in(store, folder)
    assert [found.sightings for found in entries(store)] == [3]


def test_a_long_log_is_read_from_the_texts(store: Store, folder: Path) -> None:
    log = "; padding\n" * 20_000 + LOG
    write(folder, first := rejected(log=log))
    brought_in(store, folder)
    found = attempt(store, first.id)
    assert found is not None
    assert found.log == log


def test_a_line_that_is_still_being_written_waits(store: Store, folder: Path) -> None:
    path = write(folder, rejected(0))
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert brought_in(store, folder) == []
    assert entries(store) == []
    path.write_bytes(whole)
    brought_in(store, folder)
    assert len(entries(store)) == 1


def test_a_torn_line_is_complained_about_once(store: Store, folder: Path) -> None:
    path = write(folder, rejected(0))
    path.write_bytes(b'{"schema":1,"id":"torn\n' + path.read_bytes())
    (complaint,) = brought_in(store, folder)
    assert complaint.startswith(f"{path}:1: unreadable attempt: ")
    write(folder, rejected(1))
    assert brought_in(store, folder) == []
    assert [found.sightings for found in entries(store)] == [2]


def test_the_line_number_counts_from_the_start_of_the_file(store: Store, folder: Path) -> None:
    path = write(folder, rejected(0), rejected(1))
    brought_in(store, folder)
    with path.open("ab") as file:
        file.write(b"nonsense\n")
    (complaint,) = brought_in(store, folder)
    assert complaint.startswith(f"{path}:3: ")


def test_a_rewritten_journal_is_read_again(store: Store, folder: Path) -> None:
    path = write(folder, rejected(0), second := rejected(1, LOG.replace(LINE, "return data[1];")))
    brought_in(store, folder)
    path.unlink()
    write(folder, second, rejected(2, LOG.replace(LINE, "return data[2];")), rejected(3))
    assert brought_in(store, folder) == []
    assert sorted(found.sightings for found in entries(store)) == [1, 1, 2]


def test_a_newer_line_is_read_when_this_program_is_newer(
    store: Store, folder: Path, monkeypatch
) -> None:
    path = write(folder, rejected(0))
    path.write_text(path.read_text().replace('{"schema":1', f'{{"schema":{SCHEMA + 1}'))
    (complaint,) = brought_in(store, folder)
    assert f"schema {SCHEMA + 1} is newer than this program's {SCHEMA}" in complaint
    for module in ("journal", "journal_files", "journal_import"):
        monkeypatch.setattr(f"verifier_diary.{module}.SCHEMA", SCHEMA + 1)
    assert brought_in(store, folder) == []
    assert len(entries(store)) == 1


def test_a_missing_journal_has_nothing_waiting(store: Store, folder: Path) -> None:
    assert waiting(store, [folder]) == []


def test_many_lines_take_several_batches(store: Store, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("verifier_diary.journal_import.BATCH", 2)
    write(folder, *(rejected(minute) for minute in range(5)))
    (file,) = waiting(store, [folder])
    steps = list(import_file(store, file, pytest.fail))
    assert len(steps) == 3
    assert sum(steps) == file.size
    assert entry(store, "last").sightings == 5


def test_an_import_that_stops_goes_on_where_it_was(store: Store, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("verifier_diary.journal_import.BATCH", 2)
    write(folder, *(rejected(minute) for minute in range(5)))
    (file,) = waiting(store, [folder])
    next(import_file(store, file, pytest.fail))
    assert entry(store, "last").sightings == 2
    brought_in(store, folder)
    assert entry(store, "last").sightings == 5


def test_a_journal_that_was_chosen_is_the_only_one(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path))
    assert journals() == [tmp_path]


def test_a_persons_own_journal_is_read_too(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GLIMPSE_JOURNAL", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journals() == [journal.directory(), tmp_path / "glimpse" / "journal"]
