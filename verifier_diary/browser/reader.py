"""A long text, one line of it marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from verifier_diary.browser.cursor_view import CursorView
from verifier_diary.browser.plain import plain


class Reader(CursorView):
    """Numbered lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"reader--marked"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "marked", "Error")]

    def __init__(self, lines: Sequence[str], marked: int | None) -> None:
        """Show lines, with the cursor on the marked one."""
        super().__init__()
        self._lines = lines
        self._marked = marked
        self._digits = len(str(len(lines)))

    def on_mount(self) -> None:
        """Measure the text, and go to the marked line."""
        gutter = self._digits + len(">  | ")
        width = gutter + max((len(line) for line in self._lines), default=0)
        self.virtual_size = Size(width, len(self._lines))
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
        text = f"{mark} {number + 1:>{self._digits}} | {plain(self._lines[number])}"
        return Strip([Segment(text, style)])

    def action_marked(self) -> None:
        """Move the cursor to the marked line, or else to the last, with its surroundings."""
        line = self.count() - 1 if self._marked is None else self._marked
        self.cursor = line
        self.scroll_to(y=line - self.size.height // 2, animate=False)
