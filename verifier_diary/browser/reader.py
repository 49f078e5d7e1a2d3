"""A long text, one line of it marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from verifier_diary.browser.cursor_view import CursorView
from verifier_diary.browser.plain import plain


class Reader(CursorView):
    """Numbered lines, in which words can be found."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"reader--marked", "reader--found"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "marked", "Error")]
    needle: reactive[str] = reactive("")  # what is searched, case apart

    def __init__(self, lines: Sequence[str], marked: int | None) -> None:
        """Show lines, with the cursor on the marked one."""
        super().__init__()
        self._lines = lines
        self._marked = marked
        self._digits = len(str(len(lines)))

    def on_mount(self) -> None:
        """Measure the text, and go to the marked line."""
        self.show(self._lines, self._marked)

    def show(self, lines: Sequence[str], marked: int | None) -> None:
        """Show other lines, with the cursor on the marked one."""
        self._lines, self._marked = lines, marked
        self._digits = len(str(len(lines)))
        gutter = self._digits + len(">  | ")
        width = gutter + max(map(len, lines), default=0)
        self.virtual_size = Size(width, len(lines))
        self.call_after_refresh(self.action_marked)

    def count(self) -> int:
        """Return the number of lines."""
        return len(self._lines)

    def draw(self, number: int, width: int) -> Strip:
        """Return a line with its number."""
        style, mark = self.rich_style, " "
        if number == self._marked:
            style += self.get_component_rich_style("reader--marked", partial=True)
            mark = ">"
        gutter = Segment(f"{mark} {number + 1:>{self._digits}} | ", style)
        return Strip([gutter, *self._segments(plain(self._lines[number]), style)])

    def _segments(self, text: str, style: Style) -> Iterator[Segment]:
        if not self.needle:
            yield Segment(text, style)
            return
        found = style + self.get_component_rich_style("reader--found", partial=True)
        parts = re.split(f"({re.escape(self.needle)})", text, flags=re.IGNORECASE)
        yield from (Segment(part, found if n % 2 else style) for n, part in enumerate(parts))

    def find(self, start: int, step: int) -> int | None:
        """Return the nearest line that holds the needle, from `start` on and round the end."""
        needle, count = self.needle.casefold(), self.count()
        for distance in range(count):
            number = (start + step * distance) % count
            if needle in self._lines[number].casefold():
                return number
        return None

    def action_marked(self) -> None:
        """Move the cursor to the marked line, or else to the last, with its surroundings."""
        line = self.count() - 1 if self._marked is None else self._marked
        self.cursor = line
        self.scroll_to(y=line - self.size.height // 2, animate=False)
