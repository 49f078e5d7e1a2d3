"""Lines with a cursor, of which only those on the screen are drawn: there may be a million."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


class CursorView(ScrollView, can_focus=True):
    """What the list, the log and the source have in common."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"cursor-view--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("space,pagedown", "leaf(1)", show=False),
        Binding("pageup", "leaf(-1)", show=False),
        Binding("g,home", "first", show=False),
        Binding("G,end", "last", show=False),
    ]
    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor is on another line."""

        def __init__(self, line: int) -> None:
            """Say which, counted from 0."""
            super().__init__()
            self.line = line

    def count(self) -> int:
        """Return the number of lines."""
        raise NotImplementedError

    def draw(self, number: int, width: int) -> Strip:
        """Return one line, as long as it is; `width` is that of the screen."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        left, top = self.scroll_offset
        number, width = top + y, self.scrollable_content_region.width
        if number >= self.count():
            return Strip.blank(width, self.rich_style)
        strip = self.draw(number, width).crop_extend(left, left + width, self.rich_style)
        if number == self.cursor:
            style = self.get_component_rich_style("cursor-view--cursor", partial=True)
            strip = strip.apply_style(style)
        return strip

    def validate_cursor(self, line: int) -> int:
        """Keep the cursor within the text."""
        return max(0, min(line, self.count() - 1))

    def watch_cursor(self, line: int) -> None:
        """Bring the cursor's line to the screen."""
        row = Region(int(self.scroll_x), line, 1, 1)
        self.scroll_to_region(row, animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved(line))

    def on_click(self, event: Click) -> None:
        """Move the cursor to the line under the pointer."""
        self.cursor = self.scroll_offset.y + event.y

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self.cursor += lines

    def action_leaf(self, screens: int) -> None:
        """Move the cursor by what fits on the screen."""
        self.cursor += screens * max(self.size.height - 1, 1)

    def action_first(self) -> None:
        """Move the cursor to the first line."""
        self.cursor = 0

    def action_last(self) -> None:
        """Move the cursor to the last line."""
        self.cursor = self.count() - 1
