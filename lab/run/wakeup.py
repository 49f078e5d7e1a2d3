"""What ends the wait for the next tick: its time, a signal, news of the interface, a key."""

from __future__ import annotations

import selectors
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

SECOND_NS = 1_000_000_000
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPING = (signal.SIGTSTP,)


class Source(Protocol):
    """Something with a descriptor that becomes readable."""

    def fileno(self) -> int:
        """Return the descriptor."""


class Wakeup:
    """Waits until a moment of CLOCK_MONOTONIC, which no correction of the clock moves."""

    def __init__(self) -> None:
        """Wait for time only."""
        self._selector = selectors.DefaultSelector()
        self._bell: socket.socket | None = None
        self.signals: list[int] = []  # that came, in their order; who acts on one may remove it

    def now(self) -> int:
        """Return the monotonic time in ns."""
        return time.monotonic_ns()

    def add(self, source: Source) -> None:
        """Wake up, too, when a source can be read."""
        self._selector.register(source, selectors.EVENT_READ, source)

    def remove(self, source: Source) -> None:
        """Wake up for a source no more."""
        self._selector.unregister(source)

    def wait(self, until_ns: int) -> list[Source]:
        """Return the sources that can be read, or none where the moment came first, or a signal."""
        left = max(0, until_ns - self.now()) / SECOND_NS
        ready = [key.data for key, _ in self._selector.select(left)]
        if self._bell and self._bell in ready:
            ready.remove(self._bell)
            self._bell.recv(4096)
        return ready

    @contextmanager
    def noting_signals(self) -> Iterator[None]:
        """Note signals, each of which ends a wait, instead of acting on them.

        Python acts on signals in its main thread alone, so elsewhere there is nothing to note.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._bell, button = socket.socketpair()
        self._bell.setblocking(False)
        button.setblocking(False)
        self.add(self._bell)
        wakeup = signal.set_wakeup_fd(button.fileno(), warn_on_full_buffer=False)
        before = {number: signal.getsignal(number) for number in (*ENDING, *STOPPING)}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # as nohup(1) leaves SIGHUP
                signal.signal(number, self._note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            self.remove(self._bell)
            self._bell.close()
            button.close()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signals.append(number)
