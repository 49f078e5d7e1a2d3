"""Run the policy on either engine, on real or on simulated time: one controller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lab.datapath import Datapath, effective_detail
from simulator.estimate import cardinality
from simulator.glimpse import Retired
from simulator.layout import Cause, Detail, Setting
from simulator.policy import Observation, Policy, Switch, start, step

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


@dataclass
class Controller:
    """Tick the policy, swap epochs, and hand every finished epoch to `on_epoch`."""

    datapath: Datapath
    policy: Policy
    on_epoch: Callable[[FinishedEpoch], None]
    start_ns: int
    switches: list[Switch] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill the bucket and order the first detail."""
        self._adaptive = self.datapath.settings.setting is Setting.AUTO
        first = Detail.LOW if self.datapath.settings.setting is Setting.LOW else Detail.HIGH
        self._state, decision = start(self.policy, self.start_ns, first)
        self.datapath.grant(decision.budget)
        self.datapath.order(first, 0)
        self._tick = self._epoch = 0
        self._epoch_begin_ns = self.start_ns

    def tick_of(self, now_ns: int) -> int:
        """Return the number of the tick that holds `now_ns`."""
        return (now_ns - self.start_ns) // self.policy.tick_ns

    def epoch_of(self, now_ns: int) -> int:
        """Return the number of the epoch that holds `now_ns`."""
        return (now_ns - self.start_ns) // self.policy.epoch_ns

    def advance(self, now_ns: int) -> None:
        """Do what is due up to `now_ns`: ticks, and before them the epochs that have ended."""
        epoch = self.epoch_of(now_ns)
        self._epoch = max(self._epoch, epoch - MAX_EMPTY_EPOCHS)
        while self._epoch < epoch:
            self._epoch += 1
            self.finish_epoch(self.start_ns + self._epoch * self.policy.epoch_ns)
        tick = self.tick_of(now_ns)
        if tick > self._tick:
            self._tick = tick
            self._step(self.start_ns + tick * self.policy.tick_ns, None)

    def finish_epoch(self, now_ns: int) -> None:
        """Swap epochs now and let the policy see what the finished one held."""
        retired = self.datapath.swap_epoch()
        keys = cardinality(retired)
        detail = effective_detail(self.datapath.control(), self.datapath.settings.setting)
        finished = FinishedEpoch(retired, self._epoch_begin_ns, now_ns, keys, detail)
        self._epoch_begin_ns = now_ns
        self._step(now_ns, keys if self._adaptive else None)
        self.on_epoch(finished)

    def _step(self, now_ns: int, keys: float | None) -> None:
        control = self.datapath.control()
        seen = Observation(
            now_ns=now_ns,
            generation=int(control["trip"]) >> 8,
            cause=Cause(int(control["trip"]) & 0xFF),
            trip_ns=int(control["trip_ns"]),
            spent=int(control["spent"]),
            cardinality=keys,
        )
        self._state, decision, switches = step(self.policy, self._state, seen)
        self.switches += switches
        self.datapath.grant(decision.budget)
        if decision.detail is not None:
            self.datapath.order(decision.detail, decision.generation)
