"""The demo on a real XDP hook: namespaces, veth, tcpreplay, live frames, on real time."""

from __future__ import annotations

import time
from contextlib import ExitStack

from lab.controller import Controller, FinishedEpoch
from lab.datapath import DatapathSettings, effective_detail
from lab.demo.progress import Display
from lab.demo.recording import Offered, PhaseEpoch, Recording, Sample
from lab.demo.scenario import Flood, Phase, Scenario
from lab.kernel_datapath import KernelDatapath
from lab.libbpf.link import Link, Mode, attach_xdp
from lab.testbed import Generator, Player, Testbed
from lab.testbed.signals import Held, noted
from lab.testbed.traffic import Sending
from simulator.layout import Setting, Verdict
from simulator.policy import SECOND_NS, Policy

PATIENCE = 2  # times a phase's length: a machine that cannot keep up does not go on for ever


class Stage:
    """Everything that a live run needs, made and closed with `stack`; raises what is missing."""

    def __init__(
        self, scenario: Scenario, settings: DatapathSettings, mtu: int, stack: ExitStack
    ) -> None:
        """Make the testbed, load the programs, and attach in the receiving namespace."""
        self.bed = stack.enter_context(Testbed(mtu))
        # The frames end here: a stack that handles each of them would be what is measured.
        self.datapath = KernelDatapath(settings, stack, live=True, verdict=Verdict.DROP)
        self._player = stack.enter_context(Player(self.bed, scenario.calm.period))
        frame = scenario.flood.frames(0, 1).frame(0)
        self._generator = stack.enter_context(Generator(self.bed, frame, scenario.flood.sources))
        stack.enter_context(self._attach())

    def start(self, phase: Phase) -> tuple[Sending, str]:
        """Begin to send a phase's packets; returns the traffic and how it is sent."""
        if isinstance(phase.stream, Flood):
            return self._generator.start(phase.packets, phase.rate), "live frames by BPF test run"
        return self._player.start(phase.packets, phase.rate), "tcpreplay"

    def seen(self) -> int:
        """Return the packets that the data path has seen in the running epoch."""
        return self.datapath.glance().seen

    def _attach(self) -> Link:
        with self.bed.run_in(self.bed.receiver):
            return attach_xdp(self.datapath.program, self.bed.receiver.ifindex, Mode.NATIVE)


def run(stage: Stage, scenario: Scenario, policy: Policy, display: Display) -> Recording:
    """Run all phases; a signal ends the run early, with what there is."""
    with noted() as signals:
        return _LiveRun(stage, policy, display, signals).run(scenario)


class _LiveRun:
    def __init__(self, stage: Stage, policy: Policy, display: Display, signals: Held) -> None:
        self._stage, self._display, self._signals = stage, display, signals
        self._phase = 0
        self._counted = stage.bed.statistics()
        settings = stage.datapath.settings
        self._recording = Recording("kernel", settings, policy, time.monotonic_ns())
        start = self._recording.start_ns
        self._controller = Controller(stage.datapath, policy, self._keep, start)
        self._tick = 0

    def run(self, scenario: Scenario) -> Recording:
        for self._phase, phase in enumerate(scenario.phases):
            self._run_phase(phase)
            if self._signals:
                self._recording.stopped_by = self._signals[0]
                self._display.stopped(self._signals[0])
                break
        # What still came after the last phase, or of the phase that was broken off.
        self._controller.finish_epoch(time.monotonic_ns())
        if not self._recording.epochs[-1].seen:
            self._recording.epochs.pop()
        self._recording.switches = self._controller.switches
        self._recording.log = self._controller.log
        return self._recording

    def _run_phase(self, phase: Phase) -> None:
        sending, how = self._stage.start(phase)
        self._display.phase(phase, how)
        try:
            self._wait(phase, sending)
        finally:
            sending.stop()
        before, self._counted = self._counted, self._stage.bed.statistics()
        dropped = (self._counted - before).dropped
        offered = Offered(sending.offered(), dropped, sending.seconds())
        self._recording.offered.append(offered)

    # A phase ends with an epoch, and the traffic at least a tick before.
    def _wait(self, phase: Phase, sending: Sending) -> None:
        epochs, quiet = self._recording.epochs, False
        begin_ns = epochs[-1].finished.end_ns if epochs else self._recording.start_ns
        while not self._signals:
            self._wait_for_tick()
            was_quiet, quiet = quiet, not sending.running()
            before = len(epochs)
            self._sample()
            self._controller.advance(time.monotonic_ns())
            done = self._lengths_since(begin_ns)
            if len(epochs) > before and was_quiet and done >= phase.epochs:
                return
            if done >= PATIENCE * phase.epochs:
                sending.stop()

    # How many base lengths the finished epochs make: the policy may have cut some short.
    def _lengths_since(self, begin_ns: int) -> int:
        epochs, length = self._recording.epochs, self._recording.policy.epoch_ns
        end_ns = epochs[-1].finished.end_ns if epochs else begin_ns
        return round((end_ns - begin_ns) / length)

    def _wait_for_tick(self) -> None:
        policy = self._recording.policy
        self._tick += 1
        now = time.monotonic_ns()
        due = self._recording.start_ns + self._tick * policy.tick_ns
        if due < now:  # this process was held up: go on from here
            self._tick = (now - self._recording.start_ns) // policy.tick_ns
            return
        time.sleep((due - now) / SECOND_NS)

    # Before the controller acts: an epoch swap takes a while, and looks must be evenly spaced.
    def _sample(self) -> None:
        now, control = time.monotonic_ns(), self._stage.datapath.control()
        seen = self._recording.seen + self._stage.seen()
        sample = Sample(now, self._phase, seen, effective_detail(control, Setting.AUTO))
        self._recording.samples.append(sample)
        self._display.sample(sample)

    def _keep(self, finished: FinishedEpoch) -> None:
        self._recording.epochs.append(PhaseEpoch(self._phase, finished))
