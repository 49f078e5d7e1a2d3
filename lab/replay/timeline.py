"""Cut a stream of frames into batches between control events, on the capture's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from lab.datapath import Batch
from simulator.frames import Frames
from simulator.parsing import parse
from simulator.policy import Policy
from simulator.spread import instances


class Timeline:
    """Turn frames into batches within one tick and one epoch.

    The clock is the running maximum of the timestamps (captures are not always sorted), at least
    1, because a clock of 0 means the kernel's own.
    """

    def __init__(self, policy: Policy, cpus: int) -> None:
        """Start before the first packet."""
        self._policy, self._cpus = policy, cpus
        self._now = 1
        self.start_ns: int | None = None

    @property
    def now_ns(self) -> int:
        """Return the time of the latest packet."""
        return self._now

    def batches(self, frames: Frames) -> Iterator[Batch]:
        """Yield batches in order; control events up to a batch's first clock precede it."""
        if not len(frames):
            return
        clocks = np.maximum.accumulate(np.maximum(frames.times_ns, np.uint64(self._now)))
        self._now = int(clocks[-1])
        if self.start_ns is None:
            self.start_ns = int(clocks[0])
        parsed = parse(frames)
        whole = Batch(frames, parsed, clocks, instances(parsed, self._cpus))
        since = clocks - np.uint64(self.start_ns)
        tick = since // np.uint64(self._policy.tick_ns)
        epoch = since // np.uint64(self._policy.epoch_ns)
        changed = (np.diff(tick) != 0) | (np.diff(epoch) != 0)
        edges = [0, *(np.flatnonzero(changed) + 1).tolist(), len(frames)]
        for begin, end in pairwise(edges):
            yield whole.slice(begin, end)
