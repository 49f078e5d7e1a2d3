"""Queries of a finished epoch: what is exact, and what is an estimate."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.estimate import estimate, heavy_keys, known_keys, light_shares, top
from simulator.geometry import Geometry
from simulator.glimpse import Glimpse, Retired
from simulator.layout import FLOW, SRC, Key, Setting
from simulator.parsing import Parsed


def parsed_of(ids: np.ndarray) -> Parsed:
    flows = np.zeros((len(ids), 5), np.uint64)
    flows[:, 1] = ids + 1
    return Parsed(np.zeros(len(ids), np.uint8), flows, np.full(len(ids), 60, np.uint32))


def run(
    ids: np.ndarray,
    geometry: Geometry,
    setting: Setting = Setting.LOW,
    entries: int = 1000,
    seed: int = 1,
) -> Retired:
    """Send one packet of each key number, spread over the instances in turn."""
    twin = Glimpse(geometry, exact_entries=entries, setting=setting, seed=seed)
    twin.grant(1 << 40)
    which = np.arange(len(ids), dtype=np.uint64) % np.uint64(geometry.instances) + np.uint64(1)
    twin.feed(parsed_of(ids), np.ones(len(ids), np.uint64), which)
    return twin.swap_epoch()


def keys_of(ids: np.ndarray, key: Key = SRC) -> np.ndarray:
    return parsed_of(ids).keys(key)


def test_exact_table_answers_exactly() -> None:
    ids = np.repeat(np.arange(50), np.arange(1, 51))
    retired = run(ids, Geometry(SRC, 1, 4, 3, 64), Setting.HIGH)
    answer = estimate(retired, keys_of(np.arange(50)))
    assert answer.packets.tolist() == list(range(1, 51))
    assert answer.exact.all()


def test_key_in_both_parts_adds_up() -> None:
    """A table of one key refuses the second, whose packets go to the TFM; so does nothing of it."""
    retired = run(np.array([1, 2, 1, 2, 2]), Geometry(SRC, 1, 4, 3, 64), Setting.HIGH, entries=1)
    answer = estimate(retired, keys_of(np.array([1, 2, 3])))
    assert answer.packets.tolist() == [2, 3, 0]
    assert answer.exact.tolist() == [True, True, True]


def test_unknown_key_of_an_empty_sketch_is_exactly_zero() -> None:
    retired = run(np.array([5]), Geometry(FLOW, 2, 4, 3, 64))
    answer = estimate(retired, keys_of(np.array([77]), FLOW))
    assert (answer.packets[0], answer.exact[0]) == (0, True)


def test_counts_of_instances_add_up() -> None:
    retired = run(np.zeros(10, np.int64), Geometry(SRC, 2, 4, 3, 64))
    assert estimate(retired, keys_of(np.array([0]))).packets.tolist() == [10]
    assert len(heavy_keys(retired)) == 1


def test_top_is_sorted_and_comes_from_the_structure_alone() -> None:
    ids = np.repeat(np.arange(6), [1, 9, 3, 7, 2, 5])
    keys, answer = top(run(ids, Geometry(SRC, 1, 4, 3, 64)), 3)
    assert answer.packets.tolist() == [9, 7, 5]
    assert (keys == keys_of(np.array([1, 3, 5]))).all()


def test_nothing_counted_has_no_keys() -> None:
    retired = run(np.zeros(0, np.int64), Geometry(SRC, 1, 4, 3, 64))
    assert len(known_keys(retired)) == 0
    assert len(top(retired, 3)[0]) == 0


@pytest.mark.parametrize("count", [0, 1, 4, 99])
def test_top_prefers_the_smaller_key_among_equals(count: int) -> None:
    ids = np.random.default_rng(1).permutation(np.arange(40))
    keys, answer = top(run(ids, Geometry(SRC, 2, 4, 3, 512), Setting.HIGH, entries=20), count)
    assert keys[:, 1].tolist() == list(range(1, min(count, 40) + 1))
    assert set(answer.packets.tolist()) <= {1}


def test_top_adds_what_both_parts_hold_of_a_key() -> None:
    """A table of one key holds the first; of the second, the TFM holds everything."""
    retired = run(np.array([1, 2, 1, 2, 2]), Geometry(SRC, 1, 4, 3, 64), Setting.HIGH, entries=1)
    keys, answer = top(retired, 5)
    assert (keys == keys_of(np.array([2, 1]))).all()
    assert answer.packets.tolist() == answer.lower.tolist() == [3, 2]


def test_light_shares_are_of_keys_that_are_not_wholly_in_a_heavy_slot() -> None:
    ids = np.concatenate([np.repeat(np.arange(8), 3), np.arange(8, 16)])
    shares = light_shares(run(ids, Geometry(SRC, 1, 1, 3, 4096)), keys_of(np.arange(30)))
    assert np.flatnonzero(shares).tolist() == list(range(8, 16))
