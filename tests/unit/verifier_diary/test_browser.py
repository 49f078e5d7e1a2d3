from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser import (
    MESSAGE,
    drive,
    fill,
    look,
)
from tests.diary import LINE, filed, rejected
from verifier_diary import browser
from verifier_diary.entries import Entry, Filter, entries
from verifier_diary.errors import DiaryError
from verifier_diary.model import Program
from verifier_diary.store import Store

pytest.importorskip("textual", reason="textual draws the browser: pip install -e '.[terminal]'")

from textual.pilot import Pilot
from textual.widgets import Input, Select

from verifier_diary.browser import list_screen
from verifier_diary.browser.app import Browser
from verifier_diary.browser.entry_table import EntryTable

_WALK = {
    "list": (),
    "open": ("o",),
    "cured": ("o",),
    "all": ("escape", "x"),
    "expected": ("x",),
    "first page": ("escape", "enter"),
    "no source": ("s",),
    "next page": ("n",),
    "log": ("l",),
    "log above": ("g", "j"),
    "source": ("escape", "s"),
    "help": ("question_mark",),
    "second line": ("escape", "escape", "escape"),
    "previous page": ("enter", "p"),
    "list again": ("escape",),
    "typed": ("slash", *"unin"),
    "nothing": ("q", "enter"),
    "cleared": ("escape", "o", "escape"),
    "after q": ("enter", "q"),
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every screen shows of the example."""
    texts: dict[str, str] = {}

    async def press(pilot: Pilot[None]) -> None:
        for name, keys in _WALK.items():
            await pilot.press(*keys)
            texts[name] = await look(pilot) if pilot.app.is_running else "ended"

    path = tmp_path_factory.mktemp("browser") / "diary.db"
    with pytest.MonkeyPatch.context() as patch, Store(path) as store:
        patch.setattr(list_screen, "TYPING_S", 0.001)
        fill(store)
        drive(store, press, (100, 76))
    return texts


def test_the_list_shows_the_newest_entry_first(shown: dict[str, str]) -> None:
    assert shown["list"].index("R3 !read_ok") < shown["list"].index(MESSAGE[:14])
    assert re.search(r"cured +2 packet_bounds +first +invalid access", shown["list"])


def test_the_list_tells_more_of_the_entry_under_the_cursor(shown: dict[str, str]) -> None:
    assert f" first.bpf.c:4  {LINE}" in shown["list"]
    assert f"bpf/first.bpf.c:4  {LINE}" not in shown["list"]


@pytest.mark.parametrize(
    ("screen", "said", "seen", "unseen"),
    [
        ("list", "2 entries  1 expected hidden", "second", "third"),
        ("open", "open only", "second", MESSAGE[:14]),
        ("cured", "cured only", "first", "second"),
        ("all", "3 entries", "third", "expected hidden"),
        ("expected", "1 entry  expected only", "third", "second"),
    ],
)
def test_keys_filter_the_list(
    shown: dict[str, str], screen: str, said: str, seen: str, unseen: str
) -> None:
    assert said in shown[screen]
    assert seen in shown[screen]
    assert unseen not in shown[screen]


def test_the_page_begins_with_the_diagnosis(shown: dict[str, str]) -> None:
    text = shown["next page"]
    heads = ("Reason", "At", "Causal path", "Suggestion", "C source", "Log", "Sightings", "Cure")
    places = [text.index(f"\n {head}:") for head in heads]
    assert places == sorted(places)
    assert text.index(MESSAGE) < places[0]


def test_the_page_says_why_and_marks_the_c_line(shown: dict[str, str]) -> None:
    text = shown["next page"]
    assert "R1 is used for 1 byte at offset 0; no byte of the packet is known to exist." in text
    assert f"> 4 |         {LINE}" in text


def test_the_page_shows_registers_beside_the_log(shown: dict[str, str]) -> None:
    text = shown["next page"]
    assert re.search(r"0: R1=ctx\(\) R10=fp0 +│ R1 pkt\(r=0\)", text)
    assert re.search(r"│ +a packet pointer", text)


def test_the_page_shows_sightings_and_the_cure_as_a_diff(shown: dict[str, str]) -> None:
    text = shown["next page"]
    assert "2026-03-02 00:00  6.18.44  tests/t.py::test (pid 42) at 111111111111" in text
    assert "accepted 2026-03-02 00:02 at 111111111111, after 2 rejected tries" in text
    assert "+       if (data + 1 > end)" in text


def test_the_page_says_what_is_not_known(shown: dict[str, str]) -> None:
    assert "this program has not been accepted since" in shown["first page"]
    assert "the diary has no source of this program" in shown["first page"]


def test_an_unknown_source_is_not_opened(shown: dict[str, str]) -> None:
    assert shown["no source"] == shown["first page"]


def test_pages_are_turned_to_the_neighbours(shown: dict[str, str]) -> None:
    assert shown["previous page"] == shown["first page"] != shown["next page"]


def test_the_whole_log_opens_at_the_message(shown: dict[str, str]) -> None:
    assert re.search(r">\s+6 \| invalid access to packet", shown["log"])
    assert "│ before 1: r0 = *(u8 *)(r1 +0)" in shown["log"]


def test_the_registers_follow_the_cursor(shown: dict[str, str]) -> None:
    assert "│ before 0: r1 = *(u32 *)(r1 +0)" in shown["log above"]
    assert "│ R1 ctx()" in shown["log above"]


def test_the_whole_source_opens_at_the_marked_line(shown: dict[str, str]) -> None:
    assert shown["source"].startswith(" bpf/first.bpf.c:4")
    assert f"> 4 |         {LINE}" in shown["source"]


def test_the_help_names_the_keys(shown: dict[str, str]) -> None:
    assert "the whole log, with the registers at the cursor" in shown["help"]


def test_escape_leads_back_to_where_the_list_was_left(shown: dict[str, str]) -> None:
    assert f"bpf/first.bpf.c:4  {LINE}" in shown["second line"]
    assert shown["list again"] == shown["list"]


def test_the_list_follows_what_is_typed(shown: dict[str, str]) -> None:
    assert "1 found  expected hidden" in shown["typed"]
    assert "packet_bounds" not in shown["typed"]


def test_a_search_without_result_says_so(shown: dict[str, str]) -> None:
    assert "nothing holds uninq; escape clears the search" in shown["nothing"]


def test_escape_clears_the_search_and_then_the_filter(shown: dict[str, str]) -> None:
    assert shown["cleared"] == shown["list"]


def test_q_ends_the_browser_anywhere_but_in_the_search(shown: dict[str, str]) -> None:
    assert shown["after q"] == "ended"


def test_hostile_text_is_shown_as_text(shown: dict[str, str]) -> None:
    replaced = "\N{REPLACEMENT CHARACTER}"
    assert f"[bold]{replaced}[2J{replaced}" in shown["first page"]


def test_a_small_terminal_without_colour_is_enough(
    example: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def press(pilot: Pilot[None]) -> None:
        lines = (await look(pilot)).split("\n")
        assert max(map(len, lines)) <= 80
        assert re.search("Read .*Search .*Filter .*Help .*Quit", lines[-1])
        await pilot.press("j", "enter")
        lines = (await look(pilot)).split("\n")
        assert max(map(len, lines)) <= 80
        assert f"   > 4 |         {LINE}" in (line[:79].rstrip() for line in lines)

    drive(example, press)


def test_an_empty_diary_says_how_to_fill_it(store: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        text = await look(pilot)
        assert f"no entries; the diary is {store.path}"[:60] in text
        assert "lab verify FILE.c, or lab diary import LOG, fills it" in text
        await pilot.press("o")
        assert "no entry passes the filter; escape clears it" in await look(pilot)

    drive(store, press)


def test_the_filter_offers_what_the_diary_has(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("f")
        for name, value in (("class", "packet_bounds"), ("expected", "shown")):
            pilot.app.screen.query_one(f"#{name}", Select).value = value
        pilot.app.screen.query_one("#program", Input).value = "thi"
        await pilot.pause()
        assert "1 entry  class: packet_bounds  program: thi" in await look(pilot)
        await pilot.press("ctrl+r", "escape")
        assert "2 entries  1 expected hidden" in await look(pilot)

    drive(example, press)


def test_the_page_scrolls_by_keys(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter", "space", "j", "k")
        page = pilot.app.screen.query_one("#page")
        assert page.scroll_y == page.size.height - 1
        await pilot.press("G")
        assert page.scroll_y == page.max_scroll_y
        await pilot.press("g")
        assert page.scroll_y == 0

    drive(example, press)


def test_a_click_chooses_an_entry_and_two_open_it(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.click(EntryTable, offset=(3, 1), times=2)
        assert f"> 4 |         {LINE}" in await look(pilot)

    drive(example, press, (100, 70))


def test_entries_are_loaded_when_one_comes_to_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_screen, "LOADED", 70)
    places = "".join(map(chr, range(0x4E00, 0x4E00 + 150)))
    filed(store, *(rejected(program=Program("p", "p", place, "xdp")) for place in places))

    async def press(pilot: Pilot[None]) -> None:
        table = pilot.app.screen.query_one(EntryTable)
        assert table.count() == 70
        await pilot.press("pagedown", "pagedown")
        await pilot.pause()
        assert table.count() == 140
        await pilot.press("G")
        await pilot.pause()
        assert (table.count(), table.cursor) == (150, 149)

    drive(store, press)


def test_a_problem_with_the_diary_is_told_on_the_screen(
    example: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[Entry]:
        raise DiaryError("the disk is gone", try_="plug it in")

    monkeypatch.setattr(list_screen.Query, "read", fail)
    told: list[str] = []

    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("o")
        told.extend(note.message for note in pilot.app._notifications)

    drive(example, press)
    assert "the disk is gone\ntry: plug it in" in told


def test_a_page_that_cannot_be_read_is_told_on_the_screen(
    example: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DiaryError("the disk is gone")

    monkeypatch.setattr("verifier_diary.browser.page_screen.page", fail)

    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "l", "s")
        assert "the disk is gone" in [note.message for note in pilot.app._notifications]

    drive(example, press)


def test_without_textual_the_browser_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(browser, "find_spec", lambda name: None)
    with pytest.raises(DiaryError, match=r"textual, .* is not installed; `lab diary list`") as e:
        browser.run(tmp_path / "diary.db")
    assert e.value.exit_code == 3
    assert e.value.try_ == "pip install 'glimpse-ebpf[terminal]'"


def test_run_opens_the_diary_it_is_given(example: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr(
        Browser, "run", lambda app: opened.append(len(entries(app._store, Filter())))
    )
    browser.run(example.path)
    assert opened == [2]


def test_a_wide_terminal_has_the_evidence_beside_the_diagnosis(example: Store) -> None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press("j", "enter")
        lines = (await look(pilot)).split("\n")
        assert len(lines) <= 50
        assert max(map(len, lines)) <= 200
        assert re.search(r"packet_bounds \(verifier\): .* C source:$", lines[1])
        assert sum(f"> 4 |         {LINE}" in line for line in lines) == 2

    drive(example, press, (200, 50))
