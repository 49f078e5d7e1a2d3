"""What is known at a tick, for those who show it: one frozen record, the newest wins."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lab.run.interface_counters import Drops
from lab.run.snapshot import KeyCount, Snapshot
from lab.run.watch import Interface
from simulator.layout import Detail
from simulator.ledger import Ledger
from simulator.observation import Observation
from simulator.policy import SECOND_NS
from simulator.switches import Entry


@dataclass(frozen=True)
class Rates:
    """Per second, over the latest tick."""

    packets: float = 0.0
    new_keys: float = 0.0


@dataclass(frozen=True)
class Typing:
    """The line being typed."""

    text: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class Look:
    """The run at one moment."""

    now_ns: int
    start_ns: int
    interface: Interface
    observation: Observation
    rates: Rates
    detail: Detail
    since_ns: int  # when the detail last changed
    epoch_ns: int  # length of the running epoch
    ledger: Ledger  # of all finished epochs
    epochs: int
    drops: Drops  # since the start
    entries: tuple[Entry, ...]  # the latest of the log
    switches: int
    news: tuple[str, ...]  # of the interface
    snapshot: Snapshot | None = None  # of the latest finished epoch
    answers: tuple[KeyCount, ...] = ()
    typing: Typing | None = None  # None: nobody can type

    @property
    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return (self.now_ns - self.start_ns) / SECOND_NS


class Latest:
    """The newest look; who is late misses the ones in between."""

    def __init__(self) -> None:
        """Begin without one."""
        self._changed = threading.Condition()
        self._look: Look | None = None
        self._number = 0

    def set(self, look: Look) -> None:
        """Replace it."""
        with self._changed:
            self._look, self._number = look, self._number + 1
            self._changed.notify_all()

    def get(self) -> Look | None:
        """Return it."""
        with self._changed:
            return self._look

    def wait(self, after: int, timeout_s: float) -> tuple[int, Look | None]:
        """Return the number of the newest look and that look, once it comes after a number."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout_s)
            return self._number, self._look
