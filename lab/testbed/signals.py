"""Hold SIGINT and SIGTERM back while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)


class Held(list[int]):
    """The signals that came in the meantime, in their order."""

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Remember a signal; this is a signal handler."""
        self.append(number)


@contextmanager
def noted() -> Iterator[Held]:
    """Note the signals instead of acting on them; what follows from them is the caller's.

    Python acts on signals in its main thread alone, so elsewhere there is nothing to hold.
    """
    held = Held()
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    before = {number: signal.signal(number, held.note) for number in HELD}
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def postponed() -> Iterator[None]:
    """Act on the signals that came in the meantime only at the end."""
    with noted() as held:
        yield
    if held:
        signal.raise_signal(held[0])
