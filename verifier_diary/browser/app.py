"""The browser: a list, and a page for each entry of it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from verifier_diary.browser.help_screen import HelpScreen
from verifier_diary.browser.list_screen import ListScreen
from verifier_diary.browser.query import Query
from verifier_diary.store import Store


class Browser(App[None]):
    """The diary on a terminal."""

    TITLE = "lab diary"
    CSS_PATH = "browser.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, store: Store, query: Query | None = None, *, journals: bool = False) -> None:
        """Browse an open store; `journals` brings in what they get while it is browsed."""
        super().__init__()
        self._store = store
        self._journals = journals
        self._first = query or Query()

    def get_default_screen(self) -> Screen[None]:
        """Begin with the list."""
        return ListScreen(self._store, self._first, journals=self._journals)

    def action_help(self) -> None:
        """Show the keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())
