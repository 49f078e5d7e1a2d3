"""What the generator and the player have in common: traffic that runs until it is done or told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SENDERS = 2  # processors that send; more would only split the TFM's memory further


class Sending(Protocol):
    """Traffic under way."""

    def running(self) -> bool:
        """Say whether more packets will come; raises LabError where sending failed."""

    def stop(self) -> None:
        """End it, and return when the last packet is on the wire."""

    def offered(self) -> int:
        """Return how many packets were sent; known when it has ended."""

    def seconds(self) -> float:
        """Return how long it took; known when it has ended."""


def sender_cpus() -> list[int]:
    """Return the processors that send, and so receive: veth receives where it sends."""
    return sorted(os.sched_getaffinity(0))[:SENDERS]


def instances() -> int:
    """Return how many instances the data path needs: processor numbers are its indices."""
    return max(sender_cpus()) + 1


@contextmanager
def pinned() -> Iterator[None]:
    """Run the body, and what it starts, on the sending processors: this thread only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sender_cpus())
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
