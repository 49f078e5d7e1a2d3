"""Laws of the twin's data path under any sequence of packets and control changes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.estimate import estimate, heavy_keys
from simulator.geometry import Geometry
from simulator.glimpse import Glimpse, Retired
from simulator.layout import FLOW, SRC, Cause, Detail, Hash, Outcome, Setting
from simulator.ledger import balance
from simulator.light import LIGHT_MAX
from simulator.parsing import Parsed
from simulator.tfm_memory import SATURATED

KEYS = st.sampled_from([SRC, FLOW])


def packets(ranks: list[int], sizes: list[int] | None = None) -> Parsed:
    """Return IP packets of small made-up keys."""
    flows = np.zeros((len(ranks), 5), np.uint64)
    flows[:, 1] = np.array(ranks, np.uint64) + np.uint64(1)
    flows[:, 4] = np.array(ranks, np.uint64) % np.uint64(7)
    lengths = np.array(sizes if sizes is not None else [60] * len(ranks), np.uint32)
    return Parsed(np.zeros(len(ranks), np.uint8), flows, lengths)


def feed(twin: Glimpse, parsed: Parsed, instance: int = 0, clock: int = 1) -> None:
    """Run packets through one instance at one time."""
    n = len(parsed.outcomes)
    twin.feed(parsed, np.full(n, clock, np.uint64), np.full(n, instance + 1, np.uint64))


def truth_of(parsed: Parsed, twin: Glimpse) -> Counter[bytes]:
    return Counter(key.tobytes() for key in parsed.keys(twin.geometry.key))


def _snapshot(twin: Glimpse) -> Retired:
    """Return the running epoch as if it were finished."""
    none = np.zeros((0, 4), np.uint64)
    return Retired(0, twin.geometry, twin.hash, twin.tfms[:1].copy(), none[:, :2], none)


def check_bounds(retired: Retired, truth: Counter[bytes]) -> None:
    """Every true count lies between what is certain and the estimate."""
    keys = np.array([np.frombuffer(k, np.uint64) for k in truth])
    answer = estimate(retired, keys)
    true = np.array(list(truth.values()))
    assert (answer.lower <= true).all()
    assert ((answer.packets >= true) | answer.saturated).all()


@given(
    key=KEYS,
    family=st.sampled_from(list(Hash)),
    ranks=st.lists(st.integers(0, 60), min_size=1, max_size=400),
    buckets=st.integers(1, 3),
    rows=st.integers(1, 8),
    width=st.integers(1, 40),
    groups=st.integers(1, 20),
    seed=st.integers(0, 2**64),
)
@settings(max_examples=200, deadline=None)
def test_low_detail_never_underestimates_unless_saturated(
    key: object,
    family: Hash,
    ranks: list[int],
    buckets: int,
    rows: int,
    width: int,
    groups: int,
    seed: int,
) -> None:
    geometry = Geometry(key, 1, buckets, rows, width, groups)  # type: ignore[arg-type]
    twin = Glimpse(geometry, exact_entries=1, setting=Setting.LOW, hash=family, seed=seed)
    parsed = packets(ranks)
    feed(twin, parsed)
    truth = truth_of(parsed, twin)
    retired = twin.swap_epoch()
    check_bounds(retired, truth)
    assert balance(retired).sketched == len(ranks)
    assert {k.tobytes() for k in heavy_keys(retired)} <= set(truth)


@given(ranks=st.lists(st.integers(0, 10**6), min_size=1, max_size=200), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_same_seed_gives_the_same_bytes(ranks: list[int], seed: int) -> None:
    def run() -> bytes:
        twin = Glimpse(Geometry(SRC, 1, 2, 3, 50), exact_entries=4, setting=Setting.LOW, seed=seed)
        feed(twin, packets(ranks))
        return twin.tfms.tobytes()

    assert run() == run()


def skewed(ids: int, most: int) -> list[int]:
    """Return key i `most` >> i times, all mixed by a fixed shuffle."""
    ranks = [k for k in range(ids) for _ in range(max(1, most >> (k // 4)))]
    return [int(rank) for rank in np.random.default_rng(ids).permutation(ranks)]


@pytest.mark.parametrize("groups", [1, 3, 60])
@pytest.mark.parametrize("most", [30, 500, 4000])
def test_large_counts_carry_and_stay_bounds(groups: int, most: int) -> None:
    """With one bucket most keys of thousands of packets count in cells, rows, or both."""
    twin = Glimpse(Geometry(SRC, 1, 1, 2, 40, groups), exact_entries=1, setting=Setting.LOW)
    parsed = packets(skewed(60, most))
    feed(twin, parsed)
    truth = truth_of(parsed, twin)
    check_bounds(twin.swap_epoch(), truth)


def test_saturation_is_counted_and_flagged() -> None:
    twin = Glimpse(Geometry(SRC, 1, 1, 2, 2, groups=1), exact_entries=1, setting=Setting.LOW)
    # Twelve keys fill the bucket and the cells; the others raise one of 4 counters, to 255 at most.
    feed(twin, packets([k for k in range(8) for _ in range(300)] + list(range(8, 308)) * 5))
    retired = twin.swap_epoch()
    assert retired.headers["saturated"][0] > 0
    assert estimate(retired, packets([300]).keys(SRC)).saturated[0]


def test_cell_that_can_carry_no_more_is_flagged() -> None:
    geometry = Geometry(SRC, 1, 1, 2, 8, groups=16)
    twin = Glimpse(geometry, exact_entries=1, setting=Setting.LOW)
    feed(twin, packets([k for k in range(8) for _ in range(LIGHT_MAX + 10)]))
    feed(twin, packets([8] * LIGHT_MAX))
    at_most = estimate(_snapshot(twin), packets([8]).keys(SRC))
    assert (int(at_most.packets[0]), bool(at_most.saturated[0])) == (LIGHT_MAX, True)
    assert twin.tfms.view(np.uint64)[0, SATURATED] == 0
    feed(twin, packets([8]))
    assert twin.tfms.view(np.uint64)[0, SATURATED] == 1


def test_budget_trips_within_the_packet_that_exceeds_it() -> None:
    twin = Glimpse(Geometry(SRC, 1, 4, 3, 64), exact_entries=100)
    twin.grant(5)
    feed(twin, packets([0, 1, 2, 3, 4, 0, 1]))
    assert twin.control[8] == 0
    feed(twin, packets([5]), clock=77)
    assert int(twin.control[8]) == 1 << 8 | Cause.BUDGET
    assert int(twin.control[9]) == 77
    retired = twin.swap_epoch()
    assert (balance(retired).exact, balance(retired).sketched) == (7, 1)


def test_full_table_trips_and_keeps_the_packet() -> None:
    twin = Glimpse(Geometry(SRC, 1, 4, 3, 64), exact_entries=3)
    twin.grant(1000)
    feed(twin, packets([0, 1, 2, 3, 3]))
    assert int(twin.control[8]) & 0xFF == Cause.TABLE_FULL
    retired = twin.swap_epoch()
    assert len(retired.exact_keys) == 3
    assert balance(retired).sketched == 2


def test_stale_order_does_not_undo_a_trip() -> None:
    twin = Glimpse(Geometry(SRC, 1, 4, 3, 64), exact_entries=1)
    twin.grant(1000)
    feed(twin, packets([0, 1]))
    twin.order(0 << 8 | Detail.HIGH)  # knows of no trip
    feed(twin, packets([0]))
    assert balance(twin.swap_epoch()).sketched == 2
    twin.order(1 << 8 | Detail.HIGH)
    feed(twin, packets([0]))
    assert balance(twin.swap_epoch()).exact == 1


class DatapathMachine(RuleBasedStateMachine):
    """Any interleaving of packets, grants, orders and epoch swaps keeps the accounts."""

    @initialize(
        key=KEYS,
        setting=st.sampled_from(list(Setting)),
        entries=st.integers(1, 12),
        instances=st.integers(1, 3),
    )
    def begin(self, key: object, setting: Setting, entries: int, instances: int) -> None:
        geometry = Geometry(key, instances, 2, 3, 32)  # type: ignore[arg-type]
        self.twin = Glimpse(geometry, exact_entries=entries, setting=setting, seed=1)
        self.truth: Counter[bytes] = Counter()
        self.fed = 0
        self.clock = 1

    @rule(
        ranks=st.lists(st.integers(0, 30), min_size=1, max_size=40),
        instance=st.integers(0, 2),
    )
    def packets(self, ranks: list[int], instance: int) -> None:
        parsed = packets(ranks, [60 + r for r in ranks])
        feed(self.twin, parsed, instance % self.twin.geometry.instances, self.clock)
        self.truth += truth_of(parsed, self.twin)
        self.fed += len(ranks)
        self.clock += 1

    @rule(outcome=st.sampled_from([Outcome.NOT_IP, Outcome.MALFORMED]))
    def other_frames(self, outcome: Outcome) -> None:
        parsed = packets([0])._replace(outcomes=np.array([outcome], np.uint8))
        feed(self.twin, parsed)
        self.fed += 1

    @rule(budget=st.integers(0, 100))
    def grant(self, budget: int) -> None:
        self.twin.grant(budget)

    @rule(detail=st.sampled_from(list(Detail)), generation=st.integers(0, 4))
    def order(self, detail: Detail, generation: int) -> None:
        self.twin.order(generation << 8 | detail)

    @rule()
    def swap(self) -> None:
        retired = self.twin.swap_epoch()
        ledger = balance(retired)
        assert (ledger.difference, ledger.byte_difference) == (0, 0)
        assert ledger.seen == self.fed
        if self.truth:
            check_bounds(retired, self.truth)
        self.truth, self.fed = Counter(), 0

    @invariant()
    def trips_only_in_auto(self) -> None:
        if hasattr(self, "twin") and self.twin.setting is not Setting.AUTO:
            assert self.twin.control[8] == 0


TestDatapathMachine = DatapathMachine.TestCase
TestDatapathMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
