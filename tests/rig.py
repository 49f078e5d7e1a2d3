"""A controller on the twin, on simulated time, fed with keys by number."""

from __future__ import annotations

import numpy as np

from lab.controller import Controller, FinishedEpoch, Tick
from lab.datapath import Batch, DatapathSettings, SimulatorDatapath
from simulator.frames import Frames
from simulator.geometry import Geometry
from simulator.layout import SRC, Detail, Setting
from simulator.parsing import Parsed
from simulator.policy import SECOND_NS, Policy

POLICY = Policy(threshold=1000, epoch_ns=SECOND_NS, tick_ns=SECOND_NS // 10, exact_entries=2000)
START_NS = SECOND_NS
NO_FRAMES = Frames.from_bytes([])  # the twin takes what is parsed


def tick(number: float) -> int:
    """Return the time of a tick, in ns."""
    return START_NS + round(number * POLICY.tick_ns)


class Rig:
    """One data path and its controller, which may be late, or replaced by a new one."""

    def __init__(
        self,
        policy: Policy = POLICY,
        setting: Setting = Setting.AUTO,
        *,
        cells: int = 4096,
        buckets: int = 64,
        live: bool = False,
    ) -> None:
        """Start in epoch 0, at START_NS, with so many light cells."""
        self.policy = policy
        self.finished: list[FinishedEpoch] = []
        self.ticks: list[Tick] = []
        # Rows have a fifth of the light part, as in geometry.for_memory.
        geometry = Geometry(SRC, 1, buckets, 3, max(64, cells // 6), cells // 4)
        settings = DatapathSettings(geometry, policy.exact_entries, setting)
        self.path = SimulatorDatapath(settings, live=live)
        self.fed = 0
        self.start(START_NS)

    def start(self, now_ns: int) -> None:
        """Begin with a new controller; the data path stays as it is."""
        self.controller = Controller(
            self.path, self.policy, self.finished.append, now_ns, self.ticks.append
        )

    def send(self, keys: np.ndarray, now_ns: int) -> None:
        """Advance the clock and send one packet of each key."""
        self.controller.advance(now_ns)
        self.feed(keys, now_ns)

    def feed(self, keys: np.ndarray, now_ns: int) -> None:
        """Send one packet of each key while user space does something else."""
        flows = np.zeros((len(keys), 5), np.uint64)
        flows[:, 1] = keys
        parsed = Parsed(np.zeros(len(keys), np.uint8), flows, np.full(len(keys), 60, np.uint32))
        times = np.full(len(keys), now_ns, np.uint64)
        self.path.feed(Batch(NO_FRAMES, parsed, times, np.ones(len(keys), np.uint64)))
        self.fed += len(keys)

    @property
    def details(self) -> list[Detail]:
        """Return the detail of each finished epoch."""
        return [epoch.detail for epoch in self.finished]

    @property
    def changes(self) -> list[Detail]:
        """Return the details that the log's switches led to, over all controllers."""
        return [switch.detail for tick in self.ticks for switch in tick.switches]
