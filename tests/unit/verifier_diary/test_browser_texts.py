from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import (
    drive,
    look,
    until,
)
from tests.diary import LINE, LOG, SOURCE, filed, rejected
from verifier_diary.model import SourceText
from verifier_diary.store import Store

pytest.importorskip("textual", reason="textual draws the browser: pip install -e '.[terminal]'")

from textual.pilot import Pilot

from verifier_diary.browser import page_screen, text_screen
from verifier_diary.browser.list_screen import ListScreen
from verifier_diary.browser.page_screen import PageScreen
from verifier_diary.browser.plain import size
from verifier_diary.browser.reader import Reader
from verifier_diary.browser.states import States


def test_a_long_log_opens_at_its_message(store: Store) -> None:
    notes = "".join(f"; note {n}\n" for n in range(2_000))
    text = LOG.replace("1: (71)", f"{notes}1: (71)")
    filed(store, rejected(log=text, sources=(SourceText.of("bpf/first.bpf.c", SOURCE),)))

    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "l")
        assert "2006 | invalid access" in await look(pilot)

    drive(store, press)


class Slow:
    """Does what a function does, once it is let go on."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.go_on = function, threading.Event()

    def __call__(self, *arguments: Any) -> Any:
        assert self.go_on.wait(30)
        return self.function(*arguments)


@pytest.fixture
def slow_page(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Every log counts as long, and its diagnosis takes until it is let go on."""
    slow = Slow(page_screen.page)
    monkeypatch.setattr(page_screen, "AT_ONCE", 10)
    monkeypatch.setattr(page_screen, "page", slow)
    return slow


def test_a_long_log_is_read_while_the_keys_go_on_working(example: Store, slow_page: Slow) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter", "l", "s", "slash")
        screen = pilot.app.screen
        assert isinstance(screen, PageScreen)
        assert screen.query_one("#page").loading
        assert re.match(r" reading \d+ bytes of log:  \w+  cured ", await look(pilot))
        slow_page.go_on.set()
        await until(pilot, lambda: not screen.query_one("#page").loading)
        text = await look(pilot)
        assert f"> 4 |         {LINE}" in text
        assert "reading" not in text

    drive(example, press)


def test_a_page_that_comes_late_does_not_replace_its_neighbour(
    example: Store, slow_page: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        monkeypatch.setattr(page_screen, "AT_ONCE", 1_000_000)
        monkeypatch.setattr(page_screen, "page", slow_page.function)
        await pilot.press("n")
        slow_page.go_on.set()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert f"> 4 |         {LINE}" in await look(pilot)

    drive(example, press)


def test_one_may_leave_a_page_that_is_still_read(example: Store, slow_page: Slow) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "escape")
        assert isinstance(pilot.app.screen, ListScreen)
        slow_page.go_on.set()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(pilot.app.screen, ListScreen)

    drive(example, press)


def test_a_long_log_shows_its_lines_before_its_registers(
    example: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(States)
    monkeypatch.setattr(text_screen, "AT_ONCE", 10)
    monkeypatch.setattr(text_screen, "States", slow)

    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter", "l")
        states = pilot.app.screen.query_one("#states")
        reader = pilot.app.screen.query_one(Reader)
        await until(pilot, lambda: reader.count() > 0)
        assert states.loading
        await pilot.press("g", "j")
        assert "0: (61) r1 = *(u32 *)(r1 +0)" in await look(pilot)
        slow.go_on.set()
        await until(pilot, lambda: not states.loading)
        assert "R1 ctx()" in await look(pilot)

    drive(example, press)


def test_words_are_found_in_the_whole_log(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter", "slash", *"PACKET", "enter")
        reader = pilot.app.screen.query_one(Reader)
        lines = [reader.cursor]
        for key in ("n", "n", "N"):
            await pilot.press(key)
            lines.append(reader.cursor)
        assert lines == [5, 6, 5, 6]
        await pilot.press("escape")
        assert (reader.needle, pilot.app.screen.query_one("#find").display) == ("", False)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, PageScreen)

    drive(example, press)


def test_words_that_no_line_holds_are_told(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter", "l", "slash", *"[x", "enter")
        assert "no line holds [x" in [note.message for note in pilot.app._notifications]

    drive(example, press)


def test_words_are_found_in_the_source(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter", "s", "slash", *"xdp_md", "enter")
        assert pilot.app.screen.query_one(Reader).cursor == 0

    drive(example, press)


def test_sizes_are_said_as_a_person_would() -> None:
    assert [size(n) for n in (12, 7_700, 7_700_000, 102_444_672)] == [
        "12 bytes",
        "7.7 kB",
        "7.7 MB",
        "102 MB",
    ]
