"""Text on its way to a reader who may be slow: nobody waits for them but a thread of its own."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

ROOM = 1024  # texts that wait for the reader, before it is `full`
LOOK_S = 0.1


class Outlet:
    """Writes texts to a descriptor, in their order."""

    def __init__(self, descriptor: int, room: int = ROOM) -> None:
        """Start the thread; `room` is how many texts should wait at most."""
        self._descriptor, self._room = descriptor, room
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self.error: OSError | None = None  # why nothing more can be written
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """Say whether the reader is so late that what can be left out should be."""
        return len(self._waiting) >= self._room

    def put(self, text: str) -> None:
        """Hand over a text."""
        with self._changed:
            if text and self.error is None:
                self._waiting.append(text.encode())
                self._changed.notify()

    def finish(self, give_up: Callable[[], object] = lambda: False) -> bool:
        """Wait until all is written, or `give_up` says so; returns whether it is."""
        with self._changed:
            self._finished = True
            self._changed.notify()
        while self._thread.is_alive() and not give_up():
            self._thread.join(LOOK_S)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._write(data)
            except OSError as error:
                with self._changed:
                    self.error = error
                    self._waiting.clear()
                return

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._waiting:
                if self._finished:
                    return None
                self._changed.wait()
            return self._waiting.popleft()

    # Not through sys.stdout: a thread that is stuck in it could not be left behind at the exit.
    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:  # whoever started us made the pipe so
                select.select([], [self._descriptor], [])
