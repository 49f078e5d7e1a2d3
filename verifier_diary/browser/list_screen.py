"""The list: search as you type, filters, and what is known of the entry under the cursor.

The other screens are imported when they are opened: the list is there 0.2 s sooner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from verifier_diary.browser.entry_table import EntryTable, heads
from verifier_diary.browser.following import LOOK_S, Following, bring_in
from verifier_diary.browser.plain import cut
from verifier_diary.browser.problems import telling
from verifier_diary.browser.query import Query
from verifier_diary.entries import Entry, Filter
from verifier_diary.journal_files import Waiting
from verifier_diary.store import Store

LOADED = 200  # entries at first, and twice as many each time that they do not suffice
TYPING_S = 0.08  # a search waits so long for the next letter
_MANY = 2**31


class ListScreen(Screen[None]):
    """The entries, newest first, or the best for the words that are searched."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/"),
        Binding("f", "filter", "Filter"),
        Binding("o", "state", "Open/cured"),
        Binding("x", "expected", "Expected"),
        Binding("escape", "clear", "Clear", show=False),
    ]

    def __init__(self, store: Store, query: Query, *, journals: bool) -> None:
        """Show a store's entries, those of a query first; `journals` brings in what they get."""
        super().__init__()
        self._store = store
        self._following = Following(store, journals=journals)
        self._query = query
        self._loaded: list[Entry] = []
        self._limit = LOADED
        self._typing: Timer | None = None
        self._is_bringing_in = False

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Input(
            self._query.text,
            placeholder="/ searches message, C source, log, explanation",
            id="search",
            compact=True,
        )
        yield Static(id="summary", markup=False)
        yield Static(id="heads", markup=False)
        yield EntryTable()
        yield Static(id="preview", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Read the first entries."""
        self._table.focus()
        self._read()
        self._looking = self.set_interval(LOOK_S, self._look)

    # Only in front: behind a page the list stands still, for the page turns to its neighbours.
    def _look(self) -> None:
        if not self.is_current:
            return
        with telling(self, once=self._looking.stop):
            if self._following.changed():
                self._reload()
            if (files := self._following.waiting()) and not self._is_bringing_in:
                self._is_bringing_in = True
                self._bring_in(files)

    @work(thread=True, group="journals")
    def _bring_in(self, files: list[Waiting]) -> None:
        try:
            with telling(self, once=self._looking.stop):
                bring_in(self._store, files, self._complain)
        finally:
            self._is_bringing_in = False

    def _complain(self, text: str) -> None:
        self.notify(text, severity="warning", markup=False)

    def _reload(self) -> None:
        current = self._table.current
        while True:
            loaded = self._query.read(self._store, self._limit)
            missing = current and current.id not in {entry.id for entry in loaded}
            if not missing or len(loaded) < self._limit:
                break
            self._limit *= 2
        self._loaded = loaded
        self._table.replace(loaded)
        self._show_summary()
        self._show_preview()

    @property
    def _table(self) -> EntryTable:
        return self.query_one(EntryTable)

    def _ask(self, query: Query) -> None:
        self._query, self._limit = query, LOADED
        self._read()

    def _read(self) -> None:
        with telling(self):
            self._loaded = self._query.read(self._store, self._limit)
            self._table.show(self._loaded)
            self._show_summary()
        self._show_preview()

    def _show_summary(self) -> None:
        text = self._query.summary(self._store, len(self._loaded), self._limit)
        self.query_one("#summary", Static).update(
            Text(text, no_wrap=True, overflow="ellipsis"), layout=False
        )

    def _show_preview(self) -> None:
        entry = self._table.current
        lines = _about(entry) if entry else self._nothing()
        width = max(self.size.width - 2, 20)
        text = Text("\n".join(cut(line, width) for line in lines), no_wrap=True)
        self.query_one("#preview", Static).update(text, layout=False)

    def _nothing(self) -> Iterator[str]:
        if self._query.text:
            yield f"nothing holds {self._query.text}; escape clears the search"
        elif self._query.wanted != Filter():
            yield "no entry passes the filter; escape clears it"
        else:
            yield f"no entries; the diary is {self._store.path}"
            yield "lab verify FILE.c, or lab diary import LOG, fills it"

    @on(EntryTable.MoreWanted)
    def _load_more(self, event: EntryTable.MoreWanted) -> None:
        if len(self._loaded) == self._limit:
            self._limit = _MANY if event.everything else 2 * self._limit
            with telling(self):
                self._loaded = self._query.read(self._store, self._limit)
                self._table.extend(self._loaded)
                self._show_summary()
        if event.everything:
            self._table.cursor = len(self._loaded) - 1

    @on(EntryTable.Moved)
    def _moved(self) -> None:
        self._show_preview()

    def on_resize(self, event: Resize) -> None:
        """Give head and preview their new width."""
        self.query_one("#heads", Static).update(Text(heads(event.size.width - 1), no_wrap=True))
        self._show_preview()

    @on(Input.Changed, "#search")
    def _typed(self) -> None:
        if self._typing:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_S, self._search)

    def _search(self) -> None:
        text = self.query_one("#search", Input).value
        if text != self._query.text:
            self._ask(replace(self._query, text=text))

    @on(Input.Submitted, "#search")
    def _submitted(self) -> None:
        self._search()
        self._table.focus()

    @on(EntryTable.Chosen)
    def _open(self) -> None:
        from verifier_diary.browser.page_screen import PageScreen

        if self._table.current:
            page = PageScreen(self._store, self._loaded, self._table.cursor)
            self.app.push_screen(page, self._back)

    def _back(self, position: int | None) -> None:
        if position is not None:
            self._table.cursor = position

    def action_search(self) -> None:
        """Go to where words are typed."""
        self.query_one("#search", Input).focus()

    def action_clear(self) -> None:
        """Leave the search; once more, and words, then the filter are gone."""
        box = self.query_one("#search", Input)
        if box.has_focus:
            self._table.focus()
        elif box.value:
            box.value = ""
            self._search()
        else:
            self._ask(Query())

    def action_state(self) -> None:
        """Show the open entries, the cured ones, or both."""
        self._ask(self._query.next_state())

    def action_expected(self) -> None:
        """Hide what tests and lessons want, show it too, or nothing else."""
        self._ask(self._query.next_expected())

    def action_filter(self) -> None:
        """Choose class, kernel, program and the rest."""
        from verifier_diary.browser.filter_screen import Choices, FilterScreen

        with telling(self):
            choices = Choices.of(self._store)
            self.app.push_screen(FilterScreen(choices, self._query.wanted, self._filtered))

    def _filtered(self, wanted: Filter) -> None:
        self._ask(replace(self._query, wanted=wanted))


def _about(entry: Entry) -> Iterator[str]:
    yield entry.message or "(no message)"
    yield "  ".join(filter(None, (entry.place, (entry.source_line or "").strip())))
    names = (entry.id, entry.class_id, entry.program, entry.kernel, entry.last_seen[:10])
    yield "  ".join(filter(None, names))
