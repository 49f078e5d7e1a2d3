"""Run the policy on either engine, on real or on simulated time: one controller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lab.datapath import Datapath, effective_detail
from simulator.cardinality import Cardinality, count_keys
from simulator.epoch_length import end_of_epoch, period_of
from simulator.glance import Glance
from simulator.glimpse import Retired
from simulator.layout import Cause, Detail
from simulator.ledger import Ledger, balance
from simulator.phantom import mean_error
from simulator.policy import Decision, Entry, Observation, Policy, Switch, step, take_over

# Nothing changes any more after this many empty epochs, so a longer gap is not walked through.
MAX_EMPTY_EPOCHS = 8


@dataclass(frozen=True)
class FinishedEpoch:
    """A retired epoch with what was known when it ended."""

    retired: Retired
    begin_ns: int
    end_ns: int
    cardinality: float
    detail: Detail  # at its end, before any return
    cardinality_error: float = 0.0  # relative standard error
    reliable: bool = True  # the cardinality lies in its design range

    @cached_property
    def ledger(self) -> Ledger:
        """Return the epoch's accounts."""
        return balance(self.retired)

    @cached_property
    def error(self) -> float:
        """Return the mean packets that the epoch's light parts answer to phantom keys."""
        return mean_error(self.retired.tfms, self.retired.geometry, self.retired.hash)


@dataclass(frozen=True)
class Tick:
    """A step of the policy: what was seen, decided and logged, and the detail that then held."""

    observation: Observation
    decision: Decision
    switches: tuple[Switch, ...]
    detail: Detail
    log: tuple[Entry, ...] = ()  # the switches, and changes of the epoch's length, and alarms


def _no_tick(_: Tick) -> None:
    pass


@dataclass
class Controller:
    """Tick the policy, swap epochs, and hand every finished epoch to `on_epoch`.

    On a data path that is not live, time is what `advance` is told: epochs end where they are due,
    and a gap holds empty epochs. On a live one packets come while nobody looks: what has piled up
    when user space is late is one long epoch. A data path that is already in use is taken over: its
    detail, trips and counts stay.

    `on_tick` gets the start, then every step; at the end of an epoch, before `on_epoch`.
    """

    datapath: Datapath
    policy: Policy
    on_epoch: Callable[[FinishedEpoch], None]
    start_ns: int
    on_tick: Callable[[Tick], None] = _no_tick
    switches: list[Switch] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill the bucket and order the first detail."""
        self.policy = replace(self.policy, setting=self.datapath.settings.setting)
        self._tick = 0
        self._seen = 0  # packets of finished epochs
        self._begin_ns = self._stepped_ns = self.start_ns
        self._spent = int(self.datapath.control()["spent"])  # when the epoch began
        seen = self._observe(self.start_ns, self.datapath.control(), self.datapath.glance())
        self._state, self._decision = take_over(self.policy, seen)
        self._apply(seen, ())

    @property
    def epoch_ns(self) -> int:
        """Return the length of epochs that now holds."""
        return self._decision.epoch_ns

    @property
    def due_ns(self) -> int:
        """Return when the running epoch is to end."""
        return end_of_epoch(self.policy, self.start_ns, self._begin_ns, self.epoch_ns)

    def tick_of(self, now_ns: int) -> int:
        """Return the number of the tick that holds `now_ns`."""
        return (now_ns - self.start_ns) // self.policy.tick_ns

    def epoch_of(self, now_ns: int) -> int:
        """Return the number of the base length that holds `now_ns`."""
        return period_of(self.policy, self.start_ns, now_ns)

    def advance(self, now_ns: int) -> None:
        """Do what is due up to `now_ns`: the end of epochs, and a tick."""
        if self.datapath.live:
            self._catch_up(now_ns)
        else:
            self._walk(now_ns)

    def finish_epoch(self, now_ns: int) -> None:
        """Swap epochs now and let the policy see what the finished one held."""
        # Looked at before the swap, which may take a grace period: new packets are not its own.
        control, glance = self.datapath.control(), self.datapath.glance()
        finished = self._finished(self.datapath.swap_epoch(), control, now_ns)
        seen = self._observe(now_ns, control, glance, finished)
        self._seen += finished.ledger.seen
        self._spent = int(control["spent"])
        self._begin_ns = now_ns
        self._step(seen)
        self.on_epoch(finished)

    # Epochs end when they are due, or at the latest of a long gap.
    def _walk(self, now_ns: int) -> None:
        self._finish_due(now_ns)
        tick = self.tick_of(now_ns)
        if tick <= self._tick:
            return
        self._tick = tick
        tick_ns = self.start_ns + tick * self.policy.tick_ns
        if tick_ns > self._stepped_ns:
            self._look(tick_ns)
            self._finish_due(tick_ns)  # the policy may have cut the epoch short

    def _finish_due(self, now_ns: int) -> None:
        skipped = self.epoch_of(now_ns) - MAX_EMPTY_EPOCHS + 1
        earliest = self.start_ns + skipped * self.policy.epoch_ns
        while self.due_ns <= now_ns:
            self.finish_epoch(max(self.due_ns, self._stepped_ns, earliest))

    def _catch_up(self, now_ns: int) -> None:
        if now_ns <= self._stepped_ns:
            return
        if self.due_ns <= now_ns:
            self._tick = self.tick_of(now_ns)
            self.finish_epoch(now_ns)
        elif self.tick_of(now_ns) > self._tick:
            self._tick = self.tick_of(now_ns)
            self._look(now_ns)
            if self.due_ns <= now_ns:
                self.finish_epoch(now_ns)

    def _look(self, now_ns: int) -> None:
        self._step(self._observe(now_ns, self.datapath.control(), self.datapath.glance()))

    def _step(self, seen: Observation) -> None:
        self._state, self._decision, log = step(self.policy, self._state, seen)
        self._apply(seen, log)

    def _apply(self, seen: Observation, log: tuple[Entry, ...]) -> None:
        decision, switches = self._decision, tuple(e for e in log if isinstance(e, Switch))
        self._stepped_ns = seen.now_ns
        self.datapath.grant(decision.budget)
        if decision.detail is not None:
            self.datapath.order(decision.detail, decision.generation)
        self.switches += switches
        self.log += log
        self.on_tick(Tick(seen, decision, switches, self._detail(), log))

    def _detail(self) -> Detail:
        return effective_detail(self.datapath.control(), self.policy.setting)

    def _finished(self, retired: Retired, control: np.void, now_ns: int) -> FinishedEpoch:
        keys: Cardinality = count_keys(retired)
        return FinishedEpoch(
            retired,
            self._begin_ns,
            now_ns,
            keys.keys,
            effective_detail(control, self.policy.setting),
            keys.error,
            keys.reliable,
        )

    def _observe(
        self,
        now_ns: int,
        control: np.void,
        glance: Glance,
        finished: FinishedEpoch | None = None,
    ) -> Observation:
        spent = int(control["spent"])
        ledger = finished.ledger if finished else None
        return Observation(
            now_ns=now_ns,
            generation=int(control["trip"]) >> 8,
            cause=Cause(int(control["trip"]) & 0xFF),
            trip_ns=int(control["trip_ns"]),
            spent=spent,
            cardinality=finished.cardinality if finished else None,
            cardinality_error=finished.cardinality_error if finished else 0.0,
            ledger_difference=ledger.difference + ledger.byte_difference if ledger else None,
            detail=effective_detail(control, self.policy.setting),
            begin_ns=self._begin_ns,
            seen=self._seen + glance.seen,
            packets=glance.seen,
            new_keys=spent - self._spent + glance.new_keys,
            occupancy=min(1.0, (spent - self._spent) / self.datapath.settings.exact_entries),
            fill=glance.fill,
            error=glance.error,
        )
