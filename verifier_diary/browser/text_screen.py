"""The whole log, with the registers at the cursor beside it, and the whole source."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from verifier_diary.browser import sections
from verifier_diary.browser.plain import plain, size
from verifier_diary.browser.reader import Reader
from verifier_diary.browser.states import States
from verifier_diary.logfile import Log
from verifier_diary.page import AT_ONCE, Page


class TextScreen(Screen[None]):
    """A long text that can be searched."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", key_display="/"),
        Binding("n", "next(1)", "Next"),
        Binding("N", "next(-1)", "Previous"),
        Binding("escape", "back", "Back"),
    ]

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(id="title", markup=False)
        yield from self.body()
        yield Input(
            placeholder="find: enter goes to it, n and N to others", id="find", compact=True
        )
        yield Footer()

    def body(self) -> ComposeResult:
        """Lay out what is between title and search."""
        raise NotImplementedError

    @property
    def _reader(self) -> Reader:
        return self.query_one(Reader)

    @property
    def _box(self) -> Input:
        return self.query_one("#find", Input)

    def action_find(self) -> None:
        """Go to where words are typed."""
        self._box.display = True
        self._box.focus()

    @on(Input.Submitted, "#find")
    def _submitted(self) -> None:
        self._reader.focus()
        self._reader.needle = self._box.value
        if self._box.value:
            self._go(1, 0)
        else:
            self._box.display = False

    def action_next(self, step: int) -> None:
        """Go to the next line that holds the words, or the one before."""
        if self._reader.needle:
            self._go(step, step)

    def _go(self, step: int, skip: int) -> None:
        found = self._reader.find(self._reader.cursor + skip, step)
        if found is None:
            text = f"no line holds {self._reader.needle}"
            self.notify(text, severity="warning", markup=False)
        else:
            self._reader.cursor = found

    def action_back(self) -> None:
        """Leave the search, or the screen."""
        if self._box.display:
            self._box.value = self._reader.needle = ""
            self._box.display = False
            self._reader.focus()
        else:
            self.dismiss()


class SourceScreen(TextScreen):
    """The C source, its line marked."""

    def __init__(self, page: Page) -> None:
        """Show the source that the fault is in."""
        super().__init__()
        self._page = page

    def body(self) -> ComposeResult:
        """Lay out the source."""
        yield Reader(*sections.source_lines(self._page))

    def on_mount(self) -> None:
        """Name the place."""
        self.query_one("#title", Static).update(Text(f" {self._page.entry.place or 'source'}"))


class LogScreen(TextScreen):
    """The log as it came; the registers follow the cursor."""

    def __init__(self, page: Page, *, finding: bool = False) -> None:
        """Show the log of the entry's last sighting; `finding` begins with a search."""
        super().__init__()
        self._text = page.attempt.log or page.attempt.messages
        self._verdict = page.diagnosis.verdict
        self._finding = finding
        self._states: States | None = None

    def body(self) -> ComposeResult:
        """Lay out log and registers."""
        with Horizontal():
            yield Reader((), None)
            with VerticalScroll(id="states", can_focus=False):
                yield Static(id="moment")
                yield Static(id="registers")

    def on_mount(self) -> None:
        """Read the log: a long one aside, while its lines are shown already."""
        title = Text(plain(f" log  {self._verdict.message}"), no_wrap=True)
        self.query_one("#title", Static).update(title)
        if self._finding:
            self.action_find()
        else:
            self._reader.focus()
        if len(self._text) <= AT_ONCE:
            self._show_lines(log := Log(self._text.rstrip("\n")))
            self._show_states(States(log))
        else:
            self._reader.loading = self.query_one("#states").loading = True
            said = f"reading {size(len(self._text))} of log"
            self.query_one("#moment", Static).update(Text(said, "dim"))
            self._load()

    @work(thread=True, exclusive=True, group="log")
    def _load(self) -> None:
        log = Log(self._text.rstrip("\n"))
        self.app.call_from_thread(self._show_lines, log)
        states = States(log)
        self.app.call_from_thread(self._show_states, states)

    def _show_lines(self, log: Log) -> None:
        self._reader.loading = False
        self._reader.show(log.raw, self._verdict.line)
        if not self._finding:
            self._reader.focus()

    def _show_states(self, states: States) -> None:
        self.query_one("#states").loading = False
        self._states = states
        self._registers(self._reader.cursor)

    @on(Reader.Moved)
    def _moved(self, event: Reader.Moved) -> None:
        self._registers(event.line)

    def _registers(self, line: int) -> None:
        if self._states is None:
            return
        now = self._states.at(line)
        self.query_one("#moment", Static).update(Text(plain(now.moment), sections.HEAD))
        self.query_one("#registers", Static).update(sections.registers(now.entries))
