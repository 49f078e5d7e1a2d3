from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.diary import filed, rejected
from verifier_diary.schema import SCHEMA
from verifier_diary.store import Store, location
from verifier_diary.store_errors import DiaryBusy, DiaryForbidden, DiaryUnusable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "diary.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


def test_the_diary_is_in_the_persons_state_directory(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GLIMPSE_DIARY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert location() == tmp_path / "glimpse" / "diary.db"


def test_an_environment_variable_names_another_diary(monkeypatch) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", "/somewhere/else.db")
    assert location() == Path("/somewhere/else.db")


def test_a_diary_is_private(store: Store) -> None:
    assert store.path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: sudo pytest")
def test_a_diary_made_by_root_belongs_to_the_owner_of_its_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    with Store(tmp_path / "state" / "diary.db") as store:
        filed(store, rejected())
        made = sorted((tmp_path / "state").iterdir())
        assert [path.name for path in made] == ["diary.db", "diary.db-shm", "diary.db-wal"]
        assert {path.stat().st_uid for path in made} == {1234}


def test_an_existing_diary_is_opened_without_sqlite_utils(store: Store, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sqlite_utils.db", None)
    with Store(store.path) as again:
        assert again.rows("SELECT * FROM entries") == []


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    with store.writing(), Store(store.path, patience_s=0) as other:
        assert other.rows("SELECT * FROM entries") == []


def test_a_locked_diary_says_who_to_wait_for(store: Store) -> None:
    other = Store(store.path, patience_s=0.05)
    with store.writing(), other, pytest.raises(DiaryBusy) as caught:
        filed(other, rejected())
    assert str(caught.value) == (
        f"the diary {store.path} is held by another process; "
        "what is not filed yet is still in the journal, or in its file"
    )
    assert caught.value.exit_code == 5


def test_a_full_disk_keeps_what_was_there_and_says_so(store: Store) -> None:
    filed(store, rejected())
    pages = store.rows("PRAGMA page_count")[0][0]
    store.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(
        DiaryUnusable, match=r"no space left for the diary .* still in the journal"
    ) as caught:
        filed(store, rejected(log="R0 !read_ok\n" + "\n".join(map(str, os.urandom(40_000)))))
    assert caught.value.try_ is not None
    assert caught.value.exit_code == 3
    store.rows("PRAGMA max_page_count = 1000000")
    assert [entry.sightings for entry in filed(store)] == [1]


def test_what_a_failed_write_began_is_taken_back(store: Store) -> None:
    def fail() -> None:
        with store.writing():
            store.insert("texts", {"sha256": "0", "size": 0, "data": b""})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.rows("SELECT * FROM texts") == []


def test_a_newer_diary_is_left_alone(store: Store) -> None:
    store.rows(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(DiaryUnusable, match=rf"schema {SCHEMA + 1}, this one knows {SCHEMA}"):
        Store(store.path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "diary.db"
    path.write_text("dear diary, " * 100)
    with pytest.raises(DiaryUnusable, match="is damaged, or is no SQLite database") as caught:
        Store(path)
    assert caught.value.try_ == (
        f"move {path} away: the next command builds a new one from the journal"
    )
    assert path.read_text().startswith("dear diary")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a directory")
    with pytest.raises(DiaryForbidden, match="cannot be written") as caught:
        Store(tmp_path / "state" / "diary.db")
    assert caught.value.exit_code == 4
    assert "GLIMPSE_DIARY" in (caught.value.try_ or "")


def test_a_directory_is_no_diary(tmp_path: Path) -> None:
    with pytest.raises(DiaryUnusable, match="is a directory, not a file") as caught:
        Store(tmp_path)
    assert caught.value.try_ == f"GLIMPSE_DIARY={tmp_path / 'diary.db'}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere: run as a user")
def test_a_read_only_directory_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DiaryForbidden, match=f"{tmp_path} is read-only for you"):
        Store(tmp_path / "diary.db")


def test_a_read_only_database_is_named(store: Store, monkeypatch) -> None:
    with Store(store.path) as other:
        other.rows("PRAGMA query_only = ON")
        with pytest.raises(DiaryForbidden, match=r"cannot be written"):
            filed(other, rejected())


def _open_and_file(path: Path, number: int) -> None:
    with Store(path) as store:
        for minute in range(5):
            filed(store, rejected(10 * number + minute))


def test_processes_that_make_and_write_a_diary_at_once_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_open_and_file, args=(path, number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Store(path) as store:
        assert [entry.sightings for entry in filed(store)] == [20]


def test_the_migrations_are_recorded(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    names = connection.execute("SELECT name FROM _sqlite_migrations").fetchall()
    connection.close()
    assert names == [("0001_entries",)]
