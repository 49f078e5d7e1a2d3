"""The whole log, with the registers at the cursor beside it, and the whole source."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from verifier_diary.browser import sections
from verifier_diary.browser.plain import plain
from verifier_diary.browser.reader import Reader
from verifier_diary.browser.states import States
from verifier_diary.logfile import Log
from verifier_diary.page import Page


class SourceScreen(Screen[None]):
    """The C source, its line marked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]

    def __init__(self, page: Page) -> None:
        """Show the source that the fault is in."""
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(Text(f" {self._page.entry.place or 'source'}"), id="title")
        yield Reader(*sections.source_lines(self._page))
        yield Footer()


class LogScreen(Screen[None]):
    """The log as it came; the registers follow the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]

    def __init__(self, page: Page) -> None:
        """Show the log of the entry's last sighting."""
        super().__init__()
        attempt = page.attempt
        self._log = Log((attempt.log or attempt.messages).rstrip("\n"))
        self._states = States(self._log)
        self._verdict = page.diagnosis.verdict

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(Text(plain(f" log  {self._verdict.message}"), no_wrap=True), id="title")
        with Horizontal():
            yield Reader(self._log.raw, self._verdict.line)
            with VerticalScroll(id="states", can_focus=False):
                yield Static(id="moment")
                yield Static(id="registers")
        yield Footer()

    @on(Reader.Moved)
    def _moved(self, event: Reader.Moved) -> None:
        now = self._states.at(event.line)
        self.query_one("#moment", Static).update(Text(plain(now.moment), sections.HEAD))
        self.query_one("#registers", Static).update(sections.registers(now.entries))
