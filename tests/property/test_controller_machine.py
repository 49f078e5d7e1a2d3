"""Any traffic, and user space that is on time, late, dead or new: what holds in every case."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lab.datapath import effective_detail
from simulator.epoch_length import PROBE_PERIODS
from simulator.layout import Detail, Setting
from simulator.policy import SECOND_NS
from tests.rig import POLICY, START_NS, Rig

TICK, EPOCH = POLICY.tick_ns, POLICY.epoch_ns
CALM_KEYS = 350  # well below half the threshold


class ControllerMachine(RuleBasedStateMachine):
    """A rig whose clock only these rules move."""

    @initialize(cells=st.sampled_from([384, 4096]), live=st.booleans())
    def begin(self, cells: int, live: bool) -> None:
        self.rig = Rig(cells=cells, buckets=2, live=live)
        self.now = START_NS
        self.fresh = 1_000_000  # the next key that was never sent

    def run(self, keys: np.ndarray, ticks: int) -> None:
        """Send the keys once a tick, user space being on time."""
        for _ in range(ticks):
            self.now += TICK
            self.rig.send(keys, self.now)

    @rule(count=st.integers(0, CALM_KEYS), ticks=st.integers(1, 25))
    def calm(self, count: int, ticks: int) -> None:
        self.run(np.arange(count, dtype=np.uint64), ticks)

    @rule(rate=st.integers(1, 400), ticks=st.integers(1, 25))
    def churn(self, rate: int, ticks: int) -> None:
        for _ in range(ticks):
            self.run(self.new_keys(rate), 1)

    @rule(count=st.integers(1000, 6000))
    def flood(self, count: int) -> None:
        """The packet that meets a limit trips, and is the first in the TFM."""
        self.now += TICK
        self.rig.controller.advance(self.now)
        control, before = self.rig.path.control(), self.rig.path.glance()
        low = effective_detail(control, Setting.AUTO) is Detail.LOW
        allowed = 0 if low else min(int(control["budget"] - control["spent"]), self.room())
        self.rig.feed(self.new_keys(count), self.now)
        after = self.rig.path.glance()
        assert after.exact - before.exact == min(count, allowed)
        assert after.sketched - before.sketched == max(0, count - allowed)
        tripped = int(self.rig.path.control()["trip"] >> 8) - int(control["trip"] >> 8)
        assert tripped == (not low and count > allowed)

    @rule(late=st.floats(0.1, 2.9), count=st.integers(0, 500))
    def slow(self, late: float, count: int) -> None:
        """Packets come while user space is busy with something else."""
        self.now += round(late * TICK)
        self.rig.feed(self.new_keys(count), self.now)
        self.now += round(late * TICK)
        self.rig.controller.advance(self.now)

    @rule(seconds=st.integers(1, 12), rate=st.integers(0, 2000))
    def stopped(self, seconds: int, rate: int) -> None:
        """SIGSTOP: whole epochs go by unseen; then one long one ends, and no flood of swaps."""
        finished = len(self.rig.finished)
        for _ in range(seconds):
            self.now += SECOND_NS
            self.rig.feed(self.new_keys(rate), self.now)
        self.now += 1
        self.rig.controller.advance(self.now)
        if self.rig.path.live:
            assert len(self.rig.finished) == finished + 1

    @rule(seconds=st.integers(0, 3), rate=st.integers(0, 2000))
    def killed(self, seconds: int, rate: int) -> None:
        """The controller dies, and another one takes over some time later."""
        self.now += seconds * SECOND_NS
        self.rig.feed(self.new_keys(rate), self.now)
        held = effective_detail(self.rig.path.control(), Setting.AUTO)
        self.rig.start(self.now)
        assert self.rig.ticks[-1].detail is held

    def new_keys(self, count: int) -> np.ndarray:
        self.fresh += count
        return np.arange(self.fresh - count, self.fresh, dtype=np.uint64)

    def room(self) -> int:
        side = int(self.rig.path.control()["active"]) % 2
        return POLICY.exact_entries - int(self.rig.path._twin._tables[side].used[0])

    @invariant()
    def no_packet_is_unaccounted_for(self) -> None:
        if hasattr(self, "rig"):
            ledgers = [epoch.ledger for epoch in self.rig.finished]
            assert all(ledger.difference == ledger.byte_difference == 0 for ledger in ledgers)
            live = self.rig.path.glance().seen
            assert sum(ledger.seen for ledger in ledgers) + live == self.rig.fed

    @invariant()
    def never_flaps_faster_than_the_dwell(self) -> None:
        if hasattr(self, "rig"):
            switches = [switch for tick in self.rig.ticks for switch in tick.switches]
            for low, high in pairwise(switches):
                if high.detail is Detail.HIGH:
                    assert high.time_ns - low.time_ns >= (POLICY.dwell_epochs - 1) * EPOCH

    @invariant()
    def what_user_space_believes_is_what_the_kernel_does(self) -> None:
        if hasattr(self, "rig"):
            last = self.rig.ticks[-1]
            control = self.rig.path.control()
            if int(control["trip"]) >> 8 == last.observation.generation:
                assert effective_detail(control, Setting.AUTO) is last.detail

    def teardown(self) -> None:
        """Whatever has happened, calm brings High Detail back, for good."""
        if not hasattr(self, "rig"):
            return
        keys = np.arange(CALM_KEYS, dtype=np.uint64)
        self.run(keys, 10 * (POLICY.dwell_epochs + PROBE_PERIODS + 4))
        assert effective_detail(self.rig.path.control(), Setting.AUTO) is Detail.HIGH
        changes = len(self.rig.changes)
        self.run(keys, 40)
        assert len(self.rig.changes) == changes
        self.no_packet_is_unaccounted_for()


TestControllerMachine = ControllerMachine.TestCase
TestControllerMachine.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
