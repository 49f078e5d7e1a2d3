"""The keys, in front of whatever is shown."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

_KEYS = """\
j k, arrows      move             g G   first, last
space, page keys leaf             q     quit
enter            read the entry   esc   back, or clear

In the list
  /   search: words, beginnings of words, "a phrase"
  f   filter by class, kernel, program, state
  o   all, open only, cured only
  x   what tests and lessons expect: hidden, shown, only
On a page
  l   the whole log, with the registers at the cursor
  s   the whole C source
  n p the next and the previous entry of the list
In log and source
  /   find; n and N go to the next and the previous line
  e   back to the error"""


class HelpScreen(ModalScreen[None]):
    """What every key does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter", "app.pop_screen", show=False)
    ]

    def compose(self) -> ComposeResult:
        """Lay the text out."""
        yield Static(Text(_KEYS), id="keys")
