"""The page of an entry: diagnosis, C source, log with registers, sightings, cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer, Static

from verifier_diary.browser import sections
from verifier_diary.browser.plain import cut
from verifier_diary.browser.problems import telling
from verifier_diary.browser.text_screen import LogScreen, SourceScreen
from verifier_diary.entries import Entry
from verifier_diary.page import Page, page
from verifier_diary.store import Store

_MARGIN = 4  # the scrollbar and a space on each side


class PageScreen(Screen[int]):
    """One entry, and the way to its neighbours in the list; ends with the place of the last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("space,pagedown", "leaf(1)", show=False),
        Binding("pageup", "leaf(-1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
        Binding("l", "log", "Whole log"),
        Binding("s", "source", "Whole source"),
        Binding("n", "turn(1)", "Next"),
        Binding("p", "turn(-1)", "Previous"),
        Binding("escape", "back", "Back"),
    ]

    def __init__(self, store: Store, entries: Sequence[Entry], position: int) -> None:
        """Show one of the entries of a list."""
        super().__init__()
        self._store = store
        self._entries = entries
        self._position = position
        self._page: Page | None = None

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield Static(id="title", markup=False)
        with VerticalScroll(id="page", can_focus=False):
            yield Static(id="diagnosis")
            yield Static(sections.head("C source:"), classes="head")
            yield Static(id="source", classes="body")
            with Horizontal(classes="beside"):
                yield Static(sections.head("Log:"), id="log-head")
                yield Static(sections.head("Registers:"), id="registers-head")
            with Horizontal(classes="beside"):
                yield Static(id="log", classes="body")
                yield Static(id="registers")
            yield Static(sections.head("Sightings:"), classes="head")
            yield Static(id="about", classes="body")
            yield Static(id="sightings", classes="body")
            yield Static(sections.head("Cure:"), classes="head")
            yield Static(id="cure", classes="body")
        yield Footer()

    def on_mount(self) -> None:
        """Read the page."""
        self._read()

    def on_resize(self, _event: Resize) -> None:
        """Wrap the words anew."""
        self._draw()

    def _read(self) -> None:
        self._page = None
        with telling(self):
            self._page = page(self._store, self._entries[self._position])
        self._draw()

    def _draw(self) -> None:
        this = self._page
        if this is None:
            return
        width = max(self.size.width - _MARGIN, 30)
        for name, text in {
            "title": Text(cut(sections.title(this.entry), self.size.width)),
            "about": sections.about(this),
            "diagnosis": sections.diagnosis(this, width),
            "source": sections.source(this),
            "log": sections.log(this),
            "registers": sections.registers(this.diagnosis.at.registers),
            "sightings": sections.sightings(this),
            "cure": sections.cure(this),
        }.items():
            self.query_one(f"#{name}", Static).update(text)

    @property
    def _scroll(self) -> VerticalScroll:
        return self.query_one("#page", VerticalScroll)

    def action_scroll(self, lines: int) -> None:
        """Move by lines."""
        self._scroll.scroll_relative(y=lines, animate=False)

    def action_leaf(self, screens: int) -> None:
        """Move by what fits on the screen."""
        self._scroll.scroll_relative(y=screens * (self._scroll.size.height - 1), animate=False)

    def action_top(self) -> None:
        """Go to the beginning."""
        self._scroll.scroll_home(animate=False)

    def action_bottom(self) -> None:
        """Go to the end."""
        self._scroll.scroll_end(animate=False)

    def action_turn(self, step: int) -> None:
        """Turn to a neighbour in the list."""
        position = self._position + step
        if 0 <= position < len(self._entries):
            self._position = position
            self._read()
            self.action_top()

    def action_back(self) -> None:
        """Go back to the list."""
        self.dismiss(self._position)

    def action_log(self) -> None:
        """Open the whole log."""
        if self._page:
            self.app.push_screen(LogScreen(self._page))

    def action_source(self) -> None:
        """Open the whole source."""
        if self._page and sections.source_lines(self._page)[0]:
            self.app.push_screen(SourceScreen(self._page))
        else:
            self.notify("the diary has no source of this program", severity="warning")
