"""What has happened so far: from the controller's steps and epochs, looks and records are made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lab.controller import FinishedEpoch, Tick
from lab.run.interface_counters import Drops
from lab.run.live_datapath import Timed
from lab.run.look import Look, Rates, Typing
from lab.run.queries import Queries
from lab.run.records import epoch_record
from lab.run.snapshot import KeyCount, Snapshot, Timing, answers, snapshot
from lab.run.totals import Totals
from lab.run.watch import Interface
from simulator.glimpse import Retired
from simulator.layout import Detail
from simulator.observation import Observation
from simulator.policy import SECOND_NS
from simulator.switches import Entry, Switch

SHOWN = 8  # entries of the log, and news, that a look carries
Step = tuple[Tick, dict[str, Any] | None]  # of the policy, with the record of an epoch it ended
KEPT_SWITCHES = 10_000  # the latest; a run may last for months


class Chronicle:
    """Follows one run; the controller's `on_tick` and `on_epoch` are its methods."""

    def __init__(
        self,
        datapath: Timed,
        queries: Queries,
        top: int,
        drops: Callable[[], Drops],
        now: Callable[[], int],
    ) -> None:
        """Begin at `now()`; `drops` returns the interface's counters since the start."""
        self._datapath, self._top, self._drops, self._now = datapath, top, drops, now
        self.queries = queries
        self.start_ns = self._since_ns = now()
        self.totals = Totals()
        self.switches: deque[Switch] = deque(maxlen=KEPT_SWITCHES)
        self.trips = self.returns = 0
        self.steps: list[Step] = []  # since somebody last took them
        self.detail = Detail.HIGH
        self._tick: Tick | None = None
        self._log: list[Entry] = []  # of the running epoch
        self._news: list[str] = []
        self._recent: tuple[Entry, ...] = ()
        self._recent_news: tuple[str, ...] = ()
        self._rates = Rates()
        self._snapshot: Snapshot | None = None
        self._retired: Retired | None = None
        self._answers: tuple[KeyCount, ...] = ()

    def on_tick(self, tick: Tick) -> None:
        """Take a step of the policy."""
        if self._tick:
            self._rates = _rates(self._tick.observation, tick.observation) or self._rates
        if tick.detail is not self.detail:
            self.detail = tick.detail
            self._since_ns = max(self.start_ns, _changed_ns(tick))
        self._tick = tick
        self.steps.append((tick, None))
        self.switches += tick.switches
        self.trips += sum(switch.detail is Detail.LOW for switch in tick.switches)
        self.returns += sum(switch.detail is Detail.HIGH for switch in tick.switches)
        self._log += tick.log
        self._recent = (*self._recent, *tick.log)[-SHOWN:]

    def on_epoch(self, finished: FinishedEpoch) -> None:
        """Take a finished epoch, whose step came just before."""
        assert self._tick
        self._retired = finished.retired
        found = snapshot(
            finished, self._tick.observation, count=self._top, queries=self.queries.keys
        )
        grace_ns = self._datapath.grace_ns
        read_ns = self._now() - self._datapath.taken_ns - grace_ns
        cpu_ns = time.thread_time_ns() - self._datapath.taken_cpu_ns
        timing = Timing(grace_ns, read_ns, cpu_ns)
        self._snapshot = replace(found, timing=timing, drops=self._drops())
        self._answers = self._snapshot.queries
        self.totals.add(self._snapshot)
        record = epoch_record(self._snapshot, self.start_ns, self._log, self._news)
        self.steps[-1] = (self._tick, record)
        self._log, self._news = [], []

    def tell(self, news: str) -> None:
        """Take news of the interface."""
        self._news.append(news)
        self._recent_news = (*self._recent_news, news)[-SHOWN:]

    def ask(self, text: str) -> str | None:
        """Ask for a key, of the latest epoch too; returns what is wrong with it, if anything."""
        try:
            self.queries.add(text)
        except ValueError as error:
            return str(error)
        if self._retired:
            self._answers = answers(self._retired, self.queries.keys)
        return None

    @property
    def dropped(self) -> Drops:
        """Return what the interface lost, until the latest finished epoch."""
        return self._snapshot.drops if self._snapshot else Drops()

    def look(self, interface: Interface, epoch_ns: int, typing: Typing | None) -> Look:
        """Return the present moment."""
        assert self._tick
        return Look(
            now_ns=self._now(),
            start_ns=self.start_ns,
            interface=interface,
            observation=self._tick.observation,
            rates=self._rates,
            detail=self.detail,
            since_ns=self._since_ns,
            epoch_ns=epoch_ns,
            ledger=self.totals.ledger,
            epochs=self.totals.epochs,
            drops=self.dropped,
            entries=self._recent,
            switches=self.trips + self.returns,
            news=self._recent_news,
            snapshot=self._snapshot,
            answers=self._answers,
            typing=typing,
        )


# None where no time has passed: the end of an epoch may follow a tick at once.
def _rates(before: Observation, seen: Observation) -> Rates | None:
    elapsed = seen.now_ns - before.now_ns
    if elapsed <= 0:
        return None
    same = seen.begin_ns == before.begin_ns
    new_keys = seen.new_keys - before.new_keys if same else seen.new_keys
    return Rates(
        (seen.seen - before.seen) * SECOND_NS / elapsed, max(0, new_keys) * SECOND_NS / elapsed
    )


def _changed_ns(tick: Tick) -> int:
    return tick.switches[-1].time_ns if tick.switches else tick.observation.now_ns
