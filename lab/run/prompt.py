"""The live view's keyboard: an address typed there is asked for at once and in every epoch."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_BACKSPACE, _ENTER, _CLEAR = ("\x7f", "\b"), ("\r", "\n"), ("\x15", "\x1b")  # Ctrl-U, Escape


@dataclass
class Prompt:
    """A line being typed; `ask` gets it whole and returns what is wrong with it, if anything."""

    ask: Callable[[str], str | None]
    text: str = ""
    problem: str | None = None
    quit: bool = False

    def type(self, characters: str) -> None:
        """Take what was typed; `q` on an empty line ends the run."""
        for character in characters:
            if character in _ENTER:
                self._enter()
            elif character in _BACKSPACE:
                self.text = self.text[:-1]
            elif character in _CLEAR:
                self.text, self.problem = "", None
            elif character == "q" and not self.text:
                self.quit = True
            elif character.isprintable():
                self.text += character

    def _enter(self) -> None:
        text, self.text = self.text.strip(), ""
        self.problem = self.ask(text) if text else None


class Keyboard:
    """The terminal that this process reads, one key at a time, without echo."""

    def __init__(self, descriptor: int) -> None:
        """Switch it; `restore` undoes that."""
        self._descriptor = descriptor
        self._before = termios.tcgetattr(descriptor)
        self.switch()

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._descriptor

    def switch(self) -> None:
        """Read key by key (again: a shell changes that while this is stopped); Ctrl-C works."""
        tty.setcbreak(self._descriptor, termios.TCSANOW)

    def read(self) -> str:
        """Return what was typed."""
        return os.read(self._descriptor, 1024).decode("utf-8", "replace")

    def restore(self) -> None:
        """Leave the terminal as it was."""
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)


@contextmanager
def keyboard() -> Iterator[Keyboard | None]:
    """Open the keyboard; None where there is none, or where it belongs to another process."""
    if not _is_ours():
        yield None
        return
    keys = Keyboard(sys.stdin.fileno())
    try:
        yield keys
    finally:
        keys.restore()


# A process in the background would be stopped when it reads, or sets, its terminal.
def _is_ours() -> bool:
    if not sys.stdin or not sys.stdin.isatty():
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False
