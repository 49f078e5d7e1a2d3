from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import (
    drive,
    look,
    other,
)
from tests.diary import filed
from verifier_diary import journal
from verifier_diary.errors import DiaryError
from verifier_diary.store import Store

pytest.importorskip("textual", reason="textual draws the browser: pip install -e '.[terminal]'")

from textual.pilot import Pilot

from verifier_diary.browser import list_screen
from verifier_diary.browser.entry_table import EntryTable
from verifier_diary.browser.list_screen import ListScreen


def test_the_list_follows_the_diary_and_stays_on_its_row(store: Store) -> None:
    filed(store, *(other(minute, minute) for minute in range(100)))

    async def press(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ListScreen)
        table = screen.query_one(EntryTable)
        await pilot.press(*["j"] * 40)
        before, row = table.current, table.cursor - table.scroll_offset.y
        with Store(store.path) as another:
            filed(another, *(other(200 + minute, 200 + minute) for minute in range(3)))
        screen._look()
        await pilot.pause()
        assert "103 entries" in await look(pilot)
        assert table.current == before
        assert (table.cursor, table.cursor - table.scroll_offset.y) == (43, row)

    drive(store, press)


def test_what_is_new_appears_at_the_top(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ListScreen)
        table = screen.query_one(EntryTable)
        before = table.current
        with Store(example.path) as another:
            filed(another, other(200, 1))
        screen._look()
        await pilot.pause()
        assert table.current == before
        assert (table.cursor, table.scroll_offset.y) == (1, 0)

    drive(example, press)


def test_what_did_not_change_is_not_read_again(
    example: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def press(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ListScreen)
        monkeypatch.setattr(list_screen.Query, "read", lambda *_: pytest.fail("read again"))
        screen._look()

    drive(example, press)


def test_what_the_journals_get_comes_in(
    example: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))

    async def press(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ListScreen)
        journal.append(other(200, 1))
        screen._look()
        await pilot.app.workers.wait_for_complete()
        screen._look()
        await pilot.pause()
        assert "3 entries" in await look(pilot)

    drive(example, press, journals=True)


def test_a_diary_that_is_gone_is_told_once(example: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise DiaryError("the disk is gone")

    monkeypatch.setattr("verifier_diary.browser.following.Following.changed", fail)

    async def press(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ListScreen)
        screen._look()
        await pilot.pause()
        assert {note.message for note in pilot.app._notifications} == {"the disk is gone"}
        assert screen._looking._task is None

    drive(example, press)
