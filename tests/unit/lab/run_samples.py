"""A run without a kernel: the twin as a live data path, on simulated time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lab.controller import Tick
from lab.datapath import DatapathSettings, SimulatorDatapath
from lab.run.chronicle import Chronicle
from lab.run.interface_counters import Drops
from lab.run.look import Look
from lab.run.loop import Listeners, Loop
from lab.run.queries import Queries
from lab.run.wakeup import Source
from lab.run.watch import Interface
from simulator.geometry import for_memory
from simulator.layout import SRC
from simulator.parsing import Parsed
from simulator.policy import SECOND_NS, Policy

START_NS = 1000 * SECOND_NS
TICK_NS = SECOND_NS // 10
ETH0 = Interface("eth0", 2, 1500, True)
GEOMETRY = for_memory(1 << 16, SRC, 1)


def eventually(condition: Callable[[], object]) -> None:
    """Wait for what a thread is about to do."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited 30 s in vain"
        time.sleep(0.005)


class Twin(SimulatorDatapath):
    """The twin, as the loop sees a live data path."""

    taken_ns = grace_ns = taken_cpu_ns = 0

    def __init__(self, policy: Policy) -> None:
        super().__init__(DatapathSettings(GEOMETRY, policy.exact_entries, seed=1), live=True)

    def receive(self, sources: Sequence[int], now_ns: int) -> None:
        """Take one packet of 60 bytes from each source, 10.x.y.z."""
        flows = np.zeros((len(sources), 5), np.uint64)
        address = np.uint64(0xFFFF0000) | np.asarray(sources, np.uint64) << np.uint64(40)
        flows[:, 1] = address | np.uint64(10) << np.uint64(32)
        count = len(sources)
        parsed = Parsed(np.zeros(count, np.uint8), flows, np.full(count, 60, np.uint32))
        self._twin.feed(parsed, np.full(count, now_ns, np.uint64), np.ones(count, np.uint64))


@dataclass
class SimulatedClock:
    """Time that passes when somebody waits for it; `events` happen when their time comes."""

    time_ns: int = START_NS
    signals: list[int] = field(default_factory=list)
    events: dict[int, Callable[[], object]] = field(default_factory=dict)
    ready: list[Source] = field(default_factory=list)
    removed: list[Source] = field(default_factory=list)

    def now(self) -> int:
        return self.time_ns

    def wait(self, until_ns: int) -> Sequence[Source]:
        due = [at for at in sorted(self.events) if at <= until_ns]
        self.time_ns = max(self.time_ns, due[0] if due else until_ns)
        if due:
            self.events.pop(due[0])()
        ready, self.ready = self.ready, []
        return ready

    def remove(self, source: Source) -> None:
        self.removed.append(source)

    def at(self, seconds: float, event: Callable[[], object]) -> None:
        """Let something happen so many seconds after the start."""
        self.events[START_NS + round(seconds * SECOND_NS)] = event


@dataclass
class Watched:
    """An interface that does what a test wants."""

    interface: Interface = ETH0
    waiting: list[str] = field(default_factory=list)

    def fileno(self) -> int:
        return -1

    def news(self) -> list[str]:
        told, self.waiting = self.waiting, []
        return told

    def check(self) -> list[str]:
        return []

    def vanish(self) -> None:
        self.interface = replace(self.interface, present=False)


class Run:
    """Everything together, and what the listeners were told."""

    def __init__(self, policy: Policy, duration_s: float | None = None, **listeners: Any) -> None:
        self.clock, self.watched, self.twin = SimulatedClock(), Watched(), Twin(policy)
        self.looks: list[Look] = []
        self.ticks: list[Tick] = []
        self.epochs: list[dict[str, Any]] = []
        self.news: list[str] = []
        self.queries = Queries(SRC)
        self.chronicle = Chronicle(self.twin, self.queries, 3, Drops, self.clock.now)
        told = Listeners(
            look=self.looks.append, step=self._step, news=self.news.append, **listeners
        )
        duration_ns = None if duration_s is None else round(duration_s * SECOND_NS)
        self.loop = Loop(
            self.twin,
            policy,
            self.chronicle,
            self.clock,
            self.watched,
            told,
            duration_ns=duration_ns,
        )

    def packets(self, seconds: float, sources: Sequence[int]) -> None:
        """Let packets come so many seconds after the start."""
        self.clock.at(seconds, lambda: self.twin.receive(sources, self.clock.now()))

    def _step(self, tick: Tick, epoch: dict[str, Any] | None) -> None:
        self.ticks.append(tick)
        if epoch is not None:
            self.epochs.append(epoch)
