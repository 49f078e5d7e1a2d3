"""The demo in the simulator, on simulated time: same phases, same controller."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lab.controller import Controller, FinishedEpoch
from lab.datapath import Batch, DatapathSettings, SimulatorDatapath, effective_detail
from lab.demo.progress import Display
from lab.demo.recording import Offered, PhaseEpoch, Recording, Sample
from lab.demo.scenario import Phase, Scenario
from lab.testbed.signals import Held, noted
from simulator.layout import Setting
from simulator.parsing import parse
from simulator.policy import SECOND_NS, Policy
from simulator.spread import instances

START_NS = SECOND_NS  # a clock of 0 would mean the kernel's own


def run(
    scenario: Scenario, settings: DatapathSettings, policy: Policy, display: Display
) -> Recording:
    """Run all phases; a signal ends the run early, with what there is."""
    with noted() as signals:
        return _Simulation(settings, policy, display, signals).run(scenario)


def warm_up(scenario: Scenario, settings: DatapathSettings, policy: Policy) -> None:
    """Compile what a live run must not wait for: the end of an epoch, in both details."""
    frames = scenario.calm.frames(0, 8)
    parsed = parse(frames)
    ones = np.ones(len(frames), np.uint64)
    for setting in (Setting.HIGH, Setting.LOW):
        datapath = SimulatorDatapath(replace(settings, setting=setting))
        controller = Controller(datapath, policy, lambda _: None, START_NS)
        datapath.feed(Batch(frames, parsed, ones, ones))
        controller.finish_epoch(START_NS + policy.epoch_ns)


class _Simulation:
    def __init__(
        self, settings: DatapathSettings, policy: Policy, display: Display, signals: Held
    ) -> None:
        self._datapath = SimulatorDatapath(settings)
        self._controller = Controller(self._datapath, policy, self._keep, START_NS)
        self._recording = Recording("simulator", settings, policy, START_NS)
        self._display, self._signals = display, signals
        self._phase = self._fed = self._tick = 0

    def run(self, scenario: Scenario) -> Recording:
        for self._phase, phase in enumerate(scenario.phases):
            self._display.phase(phase, "simulated")
            self._run_phase(phase)
            if self._signals:
                self._recording.stopped_by = self._signals[0]
                self._display.stopped(self._signals[0])
                self._controller.finish_epoch(self._now)
                break
        self._recording.switches = self._controller.switches
        self._recording.log = self._controller.log
        return self._recording

    @property
    def _now(self) -> int:
        return START_NS + self._tick * self._recording.policy.tick_ns

    def _run_phase(self, phase: Phase) -> None:
        policy = self._recording.policy
        ticks = phase.epochs * policy.epoch_ns // policy.tick_ns
        offered = 0
        for tick in range(ticks):
            if self._signals:
                break
            until = min(phase.packets, int(phase.rate * (tick + 1) * policy.tick_ns / SECOND_NS))
            self._feed(phase, offered, until)
            offered = until
            self._tick += 1
            self._sample()
            self._controller.advance(self._now)
        self._recording.offered.append(Offered(offered, 0, offered / phase.rate))

    # The packets of one tick, evenly spread over it.
    def _feed(self, phase: Phase, start: int, stop: int) -> None:
        if start == stop:
            return
        frames = phase.stream.frames(start, stop)
        parsed = parse(frames)
        gaps = np.arange(stop - start) * (SECOND_NS / phase.rate)
        clocks = np.uint64(self._now) + gaps.astype(np.uint64)
        which = instances(parsed, self._datapath.settings.geometry.instances)
        self._datapath.feed(Batch(frames, parsed, clocks, which))
        self._fed += stop - start

    def _keep(self, finished: FinishedEpoch) -> None:
        self._recording.epochs.append(PhaseEpoch(self._phase, finished))

    def _sample(self) -> None:
        detail = effective_detail(self._datapath.control(), Setting.AUTO)
        sample = Sample(self._now, self._phase, self._fed, detail)
        self._recording.samples.append(sample)
        self._display.sample(sample)
