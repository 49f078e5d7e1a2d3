"""The page of an entry: diagnosis, C source, log with registers, sightings, cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from verifier_diary.browser import sections
from verifier_diary.browser.plain import cut, size
from verifier_diary.browser.problems import telling
from verifier_diary.browser.text_screen import LogScreen, SourceScreen
from verifier_diary.entries import Entry
from verifier_diary.page import AT_ONCE, Page, log_size, page
from verifier_diary.store import Store

_MARGIN = 4  # the scrollbar and a space on each side
_REGISTERS = 36  # columns beside the log, with what is between them
_WIDE = 140  # columns from which the evidence stands beside the diagnosis


@dataclass(frozen=True)
class _Drawn:
    """A page, and what of it looks the same at any width."""

    page: Page
    log: list[str]
    texts: dict[str, Text]

    @classmethod
    def of(cls, this: Page) -> _Drawn:
        """Draw a page."""
        return cls(
            this,
            sections.log_lines(this),
            {
                "about": sections.about(this),
                "source": sections.source(this),
                "registers": sections.registers(this.diagnosis.at.registers),
                "sightings": sections.sightings(this),
                "cure": sections.cure(this),
            },
        )


class PageScreen(Screen[int]):
    """One entry, and the way to its neighbours in the list; ends with the place of the last."""

    # Not a ClassVar, because textual's is none.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("space,pagedown", "leaf(1)", show=False),
        Binding("pageup", "leaf(-1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
        Binding("l", "log", "Log"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("s", "source", "Source"),
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
        self._drawn: _Drawn | None = None

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        yield Static(id="title", markup=False)
        with VerticalScroll(id="page", can_focus=False):
            with Container(id="upper"):
                yield Static(id="diagnosis")
                with Vertical(id="evidence"):
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
        self.workers.cancel_group(self, "page")
        self._drawn, entry = None, self._entries[self._position]
        with telling(self):
            length = log_size(self._store, entry)
            self._entitle(entry, f" reading {size(length)} of log: " if length > AT_ONCE else "")
            if length > AT_ONCE:
                self._scroll.loading = True
                self._load(entry)
            else:
                self._show(_Drawn.of(page(self._store, entry)))

    # A log of 100 MB takes 15 s: the keys go on working, and another entry can be turned to.
    @work(thread=True, exclusive=True, group="page")
    def _load(self, entry: Entry) -> None:
        worker = get_current_worker()
        with telling(self):
            drawn = _Drawn.of(page(self._store, entry))
            if not worker.is_cancelled:
                self.app.call_from_thread(self._show, drawn)

    def _show(self, drawn: _Drawn) -> None:
        self._drawn = drawn
        self._scroll.loading = False
        self._entitle(drawn.page.entry)
        for name, text in drawn.texts.items():
            self.query_one(f"#{name}", Static).update(text)
        self._draw()

    def _entitle(self, entry: Entry, now: str = "") -> None:
        width = self.size.width
        title = cut(f"{now}{sections.title(entry)}", width).ljust(width)
        self.query_one("#title", Static).update(Text(title))

    def _draw(self) -> None:
        if self._drawn is None:
            return
        this, width = self._drawn.page, max(self.size.width, 40) - _MARGIN
        if self.size.width >= _WIDE:
            width = width // 2
        self._entitle(this.entry)
        self.query_one("#diagnosis", Static).update(sections.diagnosis(this, width - _MARGIN))
        log = sections.log(self._drawn.log, this.diagnosis.verdict.message, width - _REGISTERS)
        self.query_one("#log", Static).update(log)

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
        if self._drawn:
            self.app.push_screen(LogScreen(self._drawn.page))

    def action_find(self) -> None:
        """Open the whole log, and search it."""
        if self._drawn:
            self.app.push_screen(LogScreen(self._drawn.page, finding=True))

    def action_source(self) -> None:
        """Open the whole source."""
        if self._drawn and sections.source_lines(self._drawn.page)[0]:
            self.app.push_screen(SourceScreen(self._drawn.page))
        elif self._drawn:
            self.notify("the diary has no source of this program", severity="warning")
