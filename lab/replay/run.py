"""Feed a capture through one engine or both, one controller each, in lockstep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from lab.controller import Controller, FinishedEpoch, Tick
from lab.datapath import Batch, Datapath, DatapathSettings
from lab.replay.compare import Comparison
from lab.replay.engines import Factory
from lab.replay.score import Score
from lab.replay.speed import Speed
from lab.replay.timeline import Timeline
from simulator.frames import Frames
from simulator.parsing import parse
from simulator.policy import Entry, Policy, Switch


@dataclass(frozen=True)
class ReplaySettings:
    """All that decides a replay, besides the capture."""

    datapath: DatapathSettings
    policy: Policy
    cpus: int = 1


@dataclass
class _Run:
    """One engine and its controller; finished epochs and ticks wait here to be paired."""

    controller: Controller
    finished: list[FinishedEpoch]
    ticks: list[Tick]

    @property
    def datapath(self) -> Datapath:
        return self.controller.datapath


@dataclass(frozen=True)
class ReplayResult:
    """What a replay found."""

    score: Score
    comparison: Comparison | None  # only where two engines ran
    switches: list[Switch]
    speed: Speed
    log: Sequence[Entry] = ()  # the switches, and changes of the epoch's length, and alarms


class Replay:
    """A replay in progress: feed it frames, then `finish` it."""

    def __init__(self, settings: ReplaySettings, engines: list[Datapath]) -> None:
        """Start before the first packet; `engines` are fresh data paths, one or two."""
        self._settings, self._engines = settings, engines
        self._timeline = Timeline(settings.policy, settings.cpus)
        self._runs: list[_Run] = []
        self._score = Score(settings.datapath.geometry.key)
        self._comparison = Comparison() if len(engines) > 1 else None
        self.speed = Speed()
        self._warm_up()

    def feed(self, frames: Frames) -> None:
        """Run a batch of frames; control events precede the packets they are due before."""
        for batch in self.speed.iterate("parse", self._timeline.batches(frames)):
            if not self._runs:
                self._start(int(batch.clocks[0]))
            self._advance(int(batch.clocks[0]))
            self._run(batch)

    def finish(self) -> ReplayResult:
        """End the last epoch where the capture ends."""
        if not self._runs:
            return ReplayResult(self._score, self._comparison, [], self.speed)
        for run in self._runs:
            run.controller.finish_epoch(self._timeline.now_ns)
        self._settle()
        if self._comparison:
            mine, other = (run.datapath.control() for run in self._runs)
            self._comparison.control(mine, other)
        first = self._runs[0].controller
        return ReplayResult(self._score, self._comparison, first.switches, self.speed, first.log)

    # Numba's code is loaded, or compiled, now: that is not the speed of an engine.
    def _warm_up(self) -> None:
        nothing = Frames.from_bytes([])
        none = np.zeros(0, np.uint64)
        batch = Batch(nothing, parse(nothing), none, none)
        for engine in self._engines:
            engine.feed(batch)

    def _start(self, now_ns: int) -> None:
        for engine in self._engines:
            finished: list[FinishedEpoch] = []
            ticks: list[Tick] = []
            controller = Controller(
                engine, self._settings.policy, finished.append, now_ns, ticks.append
            )
            self._runs.append(_Run(controller, finished, ticks))

    def _advance(self, now_ns: int) -> None:
        for run in self._runs:
            run.controller.advance(now_ns)
        self._settle()

    def _run(self, batch: Batch) -> None:
        for run in self._runs:
            with self.speed.of(run.datapath.engine):
                run.datapath.feed(batch)
        self._score.add(batch.parsed)

    def _settle(self) -> None:
        """Score the epochs that have ended, and compare the engines' views of them."""
        first = self._runs[0]
        while first.finished:
            mine = first.finished.pop(0)
            if self._comparison:
                self._comparison.epochs(mine, self._runs[1].finished.pop(0))
            self._score.epoch(mine)
        if self._comparison:
            self._comparison.ticks(first.ticks, self._runs[1].ticks)
        for run in self._runs:
            run.ticks.clear()


def replay(
    batches: Iterable[Frames], settings: ReplaySettings, factories: list[Factory]
) -> ReplayResult:
    """Replay `batches` of frames through fresh engines; everything is closed at the end."""
    with ExitStack() as stack:
        engines = [make(settings.datapath, stack) for make in factories]
        running = Replay(settings, engines)
        for frames in running.speed.iterate("trace", batches):
            running.feed(frames)
        return running.finish()
