"""The data path in the kernel, with a stopwatch for the ends of its epochs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Protocol

import numpy as np

from lab.datapath import Datapath, DatapathSettings
from lab.kernel_datapath import KernelDatapath
from lab.libbpf.barrier import Barrier
from simulator.cardinality import count_keys
from simulator.estimate import estimate, top
from simulator.geometry import Geometry
from simulator.glance import look
from simulator.glimpse import Retired, prepare
from simulator.layout import HEADER, Hash, Verdict
from simulator.ledger import balance


class Timed(Datapath, Protocol):
    """A data path that says how the latest epoch was taken."""

    @property
    def taken_ns(self) -> int:
        """Return when the latest swap began, in ns of CLOCK_MONOTONIC."""

    @property
    def grace_ns(self) -> int:
        """Return how long it waited until no CPU could still be writing."""

    @property
    def taken_cpu_ns(self) -> int:
        """Return this thread's processor time when the latest swap began, in ns."""


class LiveDatapath(KernelDatapath):
    """glimpse, loaded for packets that come by themselves."""

    def __init__(self, settings: DatapathSettings, stack: ExitStack, verdict: Verdict) -> None:
        """Load the program; everything is closed with `stack`."""
        super().__init__(settings, stack, live=True, verdict=verdict)
        self.taken_ns = self.taken_cpu_ns = 0

    @property
    def grace_ns(self) -> int:
        """Return how long the latest swap waited."""
        return self._barrier.latest_ns if isinstance(self._barrier, Barrier) else 0

    def swap_epoch(self) -> Retired:
        """Begin the next epoch."""
        self.taken_ns, self.taken_cpu_ns = time.monotonic_ns(), time.thread_time_ns()
        return super().swap_epoch()


def warm_up(geometry: Geometry, family: Hash) -> None:
    """Compile, or load, what the end of an epoch runs: the first one must not wait for it."""
    tfms = np.zeros((geometry.instances, geometry.value_size), np.uint8)
    prepare(tfms, 0, 0)
    # A light part in use, so that nothing is passed over.
    tfms[:, geometry.light_offset] = 1
    tfms[:, : HEADER.itemsize].view(HEADER)["light_packets"] = 1
    keys = np.ones((1, geometry.key.words), np.uint64)
    retired = Retired(0, geometry, family, tfms, keys, np.ones((1, 4), np.uint64))
    count_keys(retired)
    balance(retired)
    top(retired, 1)
    estimate(retired, keys)
    look(tfms, 0, geometry, family)
