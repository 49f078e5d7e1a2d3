"""The table of entries: columns by the terminal's width, entries loaded while one scrolls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from verifier_diary.browser.cursor_view import CursorView
from verifier_diary.browser.plain import cut
from verifier_diary.entries import Entry

NEAR = 50  # entries before the last one where more are asked for


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    width: int
    from_width: int  # of the table, in characters
    text: Callable[[Entry], str]


def state(entry: Entry) -> str:
    """Return `open`, `cured` or `expected`."""
    if entry.expected:
        return "expected"
    return "cured" if entry.cured_by else "open"


_COLUMNS = (
    _Column("state", 8, 0, state),
    _Column(" seen", 5, 50, lambda entry: f"{entry.sightings:>5,}"),
    _Column("last seen", 10, 110, lambda entry: entry.last_seen[:10]),
    _Column("class", 16, 60, lambda entry: entry.class_id),
    _Column("program", 14, 90, lambda entry: entry.program or entry.object or "-"),
    _Column("kernel", 14, 125, lambda entry: entry.kernel or "-"),
)


class EntryTable(CursorView):
    """Entries, a line each; the message gets what the other columns leave."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"entry-table--{name}" for name in ("open", "cured", "expected")
    }
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "read", "Read")]

    class MoreWanted(Message):
        """The reader comes near the end of what is loaded; `everything`: wants to go to it."""

        def __init__(self, everything: bool = False) -> None:
            """Say how much is wanted."""
            super().__init__()
            self.everything = everything

    class Chosen(Message):
        """The entry under the cursor is to be read."""

    def __init__(self) -> None:
        """Make an empty table."""
        super().__init__(id="entries")
        self._entries: Sequence[Entry] = ()

    @property
    def current(self) -> Entry | None:
        """Return the entry under the cursor."""
        return self._entries[self.cursor] if self._entries else None

    def show(self, entries: Sequence[Entry]) -> None:
        """Show other entries, from the first on."""
        self.extend(entries)
        self.cursor = 0
        self.scroll_home(animate=False)

    def extend(self, entries: Sequence[Entry]) -> None:
        """Show a list that begins as the one shown."""
        self._entries = entries
        self._measure()
        self.refresh()

    def replace(self, entries: Sequence[Entry]) -> None:
        """Show a newer list, with the cursor on the entry it is on, at the same height.

        At the top of the list the top stays in sight: what is new appears there.
        """
        current, row = self.current, self.cursor - self.scroll_offset.y
        at_top = self.scroll_offset.y == 0
        self.extend(entries)
        ids = [entry.id for entry in entries]
        if current and current.id in ids:
            self.cursor = ids.index(current.id)
        if not at_top:
            self.scroll_to(y=self.cursor - row, animate=False, force=True)

    def count(self) -> int:
        """Return the number of entries that are loaded."""
        return len(self._entries)

    def draw(self, number: int, width: int) -> Strip:
        """Return the line of one entry."""
        entry = self._entries[number]
        first, *others = (cut(c.text(entry), c.width).ljust(c.width) for c in _columns(width))
        style = self.get_component_rich_style(f"entry-table--{state(entry)}", partial=True)
        rest = " ".join(["", *others, entry.message or "(no message)"])
        rest = cut(rest, width - _COLUMNS[0].width)
        return Strip([Segment(first, self.rich_style + style), Segment(rest, self.rich_style)])

    def on_resize(self, _event: Resize) -> None:
        """Give the lines their new width."""
        self._measure()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more in time."""
        super().watch_scroll_y(old_value, new_value)
        if new_value + self.size.height > self.count() - NEAR:
            self.post_message(self.MoreWanted())

    def on_click(self, event: Click) -> None:
        """Read what is clicked twice; the first click has put the cursor there."""
        if event.chain == 2:
            self.action_read()

    def action_last(self) -> None:
        """Go to the last entry of all."""
        self.post_message(self.MoreWanted(everything=True))

    def action_read(self) -> None:
        """Read the entry under the cursor."""
        self.post_message(self.Chosen())

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self.count())


def heads(width: int) -> str:
    """Return the line above the table."""
    return " ".join([*(c.head.ljust(c.width) for c in _columns(width)), "message"])


def _columns(width: int) -> list[_Column]:
    return [column for column in _COLUMNS if width >= column.from_width - 1]
