"""User space on the kernel's data path: a look without a swap, and being stopped, or replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from lab.controller import Controller, FinishedEpoch, Tick
from lab.datapath import Batch, DatapathSettings, SimulatorDatapath, effective_detail
from lab.kernel_datapath import KernelDatapath
from lab.recorded import first_difference
from simulator.geometry import for_memory
from simulator.layout import KEYS, SRC, Detail, Setting
from simulator.parsing import parse
from simulator.policy import SECOND_NS, Policy
from simulator.traffic import frames_for, keys_of
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]
POLICY = Policy(threshold=1000, exact_entries=2000)


class Live:
    """The program with packets that come when user space does not look, on a clock of ours."""

    def __init__(self, stack: ExitStack) -> None:
        settings = DatapathSettings(for_memory(256 << 10, SRC, 2), POLICY.exact_entries, seed=5)
        self.path = KernelDatapath(settings, stack, live=True)
        self.finished: list[FinishedEpoch] = []
        self.ticks: list[Tick] = []
        self.fed = 0
        self.start(SECOND_NS)

    def start(self, now_ns: int) -> None:
        self.controller = Controller(
            self.path, POLICY, self.finished.append, now_ns, self.ticks.append
        )

    def feed(self, first: int, count: int, now_ns: int) -> None:
        """Send one packet of each key, by number."""
        batch = batch_of(np.arange(first, first + count), now_ns)
        self.path.feed(batch)
        self.fed += count

    def check_accounts(self) -> None:
        ledgers = [epoch.ledger for epoch in self.finished]
        assert all(ledger.difference == ledger.byte_difference == 0 for ledger in ledgers)
        assert sum(ledger.seen for ledger in ledgers) + self.path.glance().seen == self.fed

    @property
    def detail(self) -> Detail:
        return effective_detail(self.path.control(), Setting.AUTO)


def batch_of(ranks: np.ndarray, now_ns: int, key: str = "src") -> Batch:
    frames = frames_for(keys_of(ranks, KEYS[key], 1))
    clocks = np.full(len(ranks), now_ns, np.uint64)
    return Batch(frames, parse(frames), clocks, (ranks % 2 + 1).astype(np.uint64))


@pytest.fixture
def live() -> Iterator[Live]:
    with ExitStack() as stack:
        yield Live(stack)


@pytest.mark.parametrize("setting", list(Setting))
@pytest.mark.parametrize("key", list(KEYS))
def test_look_at_the_running_epoch_is_that_of_the_twin(key: str, setting: Setting) -> None:
    settings = DatapathSettings(for_memory(64 << 10, KEYS[key], 2), 500, setting, seed=9)
    with ExitStack() as stack:
        paths = [SimulatorDatapath(settings), KernelDatapath(settings, stack)]
        looks = []
        for path in paths:
            path.grant(10_000)
            path.feed(batch_of(np.random.default_rng(1).integers(0, 9000, 20_000), 7, key))
            looks.append(path.glance())
            retired = path.swap_epoch()
            assert path.glance().seen == 0
            assert int(retired.headers["seen"].sum()) == looks[-1].seen == 20_000
    assert looks[0] == looks[1]
    assert looks[0].new_keys > 3000
    assert 0 < looks[0].fill <= 1
    assert looks[0].error > 0


def test_stopped_user_space_leaves_the_trip_to_the_kernel_and_loses_nothing(live: Live) -> None:
    live.feed(0, 300, SECOND_NS)
    live.controller.advance(SECOND_NS + POLICY.tick_ns)
    assert live.detail is Detail.HIGH
    for second in range(2, 12):  # nobody looks for ten seconds
        live.feed(10_000 * second, 3000, second * SECOND_NS)
    assert live.detail is Detail.LOW
    live.controller.advance(12 * SECOND_NS)
    assert [(e.begin_ns, e.end_ns) for e in live.finished] == [(SECOND_NS, 12 * SECOND_NS)]
    switches = [(s.time_ns, s.cause) for s in live.controller.switches]
    assert switches == [(2 * SECOND_NS, "budget spent")]
    live.check_accounts()


def test_replaced_controller_takes_over_and_returns_after_calm(live: Live) -> None:
    live.feed(0, 3000, SECOND_NS)  # trips; the controller dies before it has seen it
    live.start(4 * SECOND_NS)
    assert live.ticks[-1].detail is live.detail is Detail.LOW
    for tick in range(1, 31):
        live.controller.advance(4 * SECOND_NS + tick * POLICY.tick_ns)
        live.feed(0, 200, 4 * SECOND_NS + tick * POLICY.tick_ns)
    assert live.detail is Detail.HIGH
    assert [s.detail for s in live.controller.switches] == [Detail.HIGH]
    live.check_accounts()


def test_recorded_run_on_the_kernel_decides_the_same_again(live: Live) -> None:
    for tick in range(1, 60):
        now = SECOND_NS + tick * POLICY.tick_ns
        live.controller.advance(now)
        live.feed(0 if tick % 20 else 5000 * tick, 2500 if tick % 20 == 0 else 200, now)
    seen, decided = [t.observation for t in live.ticks], [t.decision for t in live.ticks]
    assert len(live.controller.switches) >= 3
    assert first_difference(live.controller.policy, seen, decided) is None
    live.check_accounts()
