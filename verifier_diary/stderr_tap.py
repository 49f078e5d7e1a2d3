"""Read what C libraries print to stderr, which Python's sys.stderr never sees."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_STDERR = 2
_turn = threading.RLock()  # two threads that swap the one descriptor would lose it


class Tap:
    """What was printed; complete when the tap is closed."""

    text = ""


@contextlib.contextmanager
def tapped(*, pass_on: bool) -> Iterator[Tap]:
    """Collect all that this process prints to descriptor 2, and print it afterwards if asked to."""
    tap = Tap()
    with _turn:
        sys.stderr.flush()
        try:
            kept = os.dup(_STDERR)
        except OSError:  # a daemon has none
            yield tap
            return
        memory = os.memfd_create("stderr")
        try:
            os.dup2(memory, _STDERR)
            yield tap
        finally:
            os.dup2(kept, _STDERR)
            data = _whole(memory)
            tap.text = data.decode("utf-8", "replace")
            os.close(kept)
            os.close(memory)
            if pass_on:
                _print(data)


def _print(data: bytes) -> None:
    while data:
        data = data[os.write(_STDERR, data) :]


def _whole(memory: int) -> bytes:
    size = os.lseek(memory, 0, os.SEEK_END)
    return os.pread(memory, size, 0)
