"""The terminal, where the run has one: the live view and the keyboard, taken and given back."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from types import TracebackType

from lab.run.live_view import LiveView
from lab.run.look import Latest
from lab.run.prompt import Keyboard, keyboard
from lab.run.view import About


class Screen:
    """A context manager; `live` says whether there is a view, `keyboard` whether keys are read."""

    def __init__(self, latest: Latest, about: About, live: bool) -> None:
        """Take it when it is entered, if `live`."""
        self.live = live
        self.keyboard: Keyboard | None = None
        self._view = LiveView(latest, about)
        self._stack = ExitStack()

    def __enter__(self) -> Screen:
        """Take the terminal."""
        if self.live:
            self.keyboard = self._stack.enter_context(keyboard())
            self._stack.enter_context(self._view)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        self._stack.close()

    def stop(self) -> None:
        """Stop this process, as Ctrl-Z asks; return when it is continued."""
        if self.live:
            self._view.pause()
        if self.keyboard:
            self.keyboard.restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self.keyboard:
            self.keyboard.switch()
        if self.live:
            self._view.resume()
