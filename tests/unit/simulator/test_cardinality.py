"""The number of distinct keys of an epoch, by two ways, and the range where it can be trusted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.cardinality import (
    RELIABLE_LOAD,
    Cardinality,
    cardinality,
    count_keys,
    count_new_keys,
    new_key_counting,
)
from simulator.estimate import light_shares
from simulator.geometry import Geometry, for_memory
from simulator.glimpse import Glimpse, Retired
from simulator.layout import SRC, Setting
from simulator.light_part import chance_of_share, light_fill, light_keys, linear_counting
from simulator.parsing import Parsed

WAYS = [count_keys, count_new_keys]


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
    flows = np.zeros((len(ids), 5), np.uint64)
    flows[:, 1] = ids + 1
    parsed = Parsed(np.zeros(len(ids), np.uint8), flows, np.full(len(ids), 60, np.uint32))
    which = np.arange(len(ids), dtype=np.uint64) % np.uint64(geometry.instances) + np.uint64(1)
    twin.feed(parsed, np.ones(len(ids), np.uint64), which)
    return twin.swap_epoch()


def sent(count: int, seed: int = 0) -> np.ndarray:
    """Return the packets of `count` keys, three of each on average, at least one."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.concatenate([np.arange(count), rng.integers(0, count, 2 * count)]))


def test_nothing_counted_has_no_keys() -> None:
    retired = run(np.zeros(0, np.int64), Geometry(SRC, 1, 4, 3, 64))
    assert count_keys(retired) == Cardinality(0, 0.0)
    assert cardinality(retired) == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize("count", [100, 3000, 30_000])
def test_cardinality_is_within_five_percent(way: type, count: int, instances: int) -> None:
    retired = run(sent(count), for_memory(instances * (256 << 10), SRC, instances))
    found = way(retired)
    assert found.keys == pytest.approx(count, rel=0.05)
    assert found.reliable


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("width", [1024, 4096, 32_768])
@pytest.mark.parametrize("load", [0.05, 0.5, 1.0, 2.0, 2.9])
def test_cardinality_is_within_five_percent_over_the_design_range(
    way: type, load: float, width: int
) -> None:
    for seed in range(5):
        count = int(load * width)
        retired = run(sent(count, seed), Geometry(SRC, 1, 1, 4, width), seed=seed)
        found = way(retired)
        assert found.reliable
        assert found.keys == pytest.approx(count, rel=0.05)


def test_standard_error_is_that_of_many_runs() -> None:
    runs = [
        count_keys(run(np.arange(2000), Geometry(SRC, 1, 1, 4, 1024), seed=s)) for s in range(80)
    ]
    spread = np.std([r.keys for r in runs]) / 2000
    assert 0.7 < spread / runs[0].error < 1.4


def test_beyond_the_range_the_flag_says_so() -> None:
    retired = run(np.arange(int(1.2 * RELIABLE_LOAD * 1024)), Geometry(SRC, 1, 1, 4, 1024))
    assert not count_keys(retired).reliable
    assert math.isfinite(count_keys(retired).keys)


def test_narrow_rows_are_never_reliable() -> None:
    assert not count_keys(run(np.arange(60), Geometry(SRC, 1, 1, 4, 64, groups=1))).reliable


@pytest.mark.parametrize("entries", [500, 5000])
@pytest.mark.parametrize("way", WAYS)
def test_cardinality_of_a_mixed_epoch_counts_no_key_twice(way: type, entries: int) -> None:
    rng = np.random.default_rng(4)
    ids = rng.permutation(np.repeat(np.arange(20_000), 3))
    retired = run(ids, for_memory(256 << 10, SRC, 1), Setting.HIGH, entries)
    assert len(retired.exact_keys) == entries
    assert way(retired).keys == pytest.approx(20_000, rel=0.05)


def test_full_light_row_means_any_number_of_keys() -> None:
    retired = run(np.arange(5000), Geometry(SRC, 1, 1, 2, 16))
    assert linear_counting(retired) == np.inf
    assert cardinality(retired) == np.inf
    assert not count_keys(retired).reliable


def test_key_met_by_two_instances_is_one_new_key() -> None:
    both = run(np.repeat(np.arange(4000), 2), Geometry(SRC, 2, 1, 4, 8192))
    assert both.headers["new_keys"].sum() > 7000
    assert new_key_counting(both) == pytest.approx(4000, rel=0.05)


def test_keys_of_a_quiet_exact_epoch_are_counted_exactly() -> None:
    assert count_keys(run(np.arange(50), Geometry(SRC, 1, 4, 3, 64), Setting.HIGH)) == (50, 0, True)


def test_keys_of_full_cells_are_counted_in_the_rows() -> None:
    retired = run(np.arange(3000), Geometry(SRC, 1, 4, 3, 8000, groups=400))
    assert light_fill(retired) > 0.95
    assert cardinality(retired) == pytest.approx(3000, rel=0.05)


def test_cells_that_carry_are_not_counted_again_from_the_rows() -> None:
    ids = np.random.default_rng(1).permutation(np.repeat(np.arange(500), 40))
    retired = run(ids, Geometry(SRC, 1, 1, 3, 4000, groups=400))
    assert linear_counting(retired) > 300
    assert light_keys(retired).total == pytest.approx(500 - 8, rel=0.05)


def test_key_with_a_cell_in_two_instances_counts_once() -> None:
    retired = run(np.repeat(np.arange(2000), 2), Geometry(SRC, 2, 1, 3, 1000, groups=700))
    assert light_keys(retired).total == pytest.approx(2000, rel=0.02)
    assert new_key_counting(retired) == pytest.approx(2000, rel=0.02)


def test_chance_of_a_share_is_what_unknown_keys_meet() -> None:
    retired = run(np.arange(6000), Geometry(SRC, 2, 1, 2, 1000, groups=700))
    unknown = np.zeros((20_000, 2), np.uint64)
    unknown[:, 1] = np.arange(10**6, 10**6 + 20_000)
    met = light_shares(retired, unknown).mean()
    assert met == pytest.approx(chance_of_share(retired), abs=0.02)
    assert met > 0.05


def test_keys_without_a_cell_on_several_instances_make_the_count_unreliable() -> None:
    ids = np.random.default_rng(3).permutation(np.repeat(np.arange(4000), 6))
    assert not count_keys(run(ids, Geometry(SRC, 2, 1, 3, 8000, groups=600))).reliable
    assert count_keys(run(ids, Geometry(SRC, 2, 1, 3, 8000, groups=1400))).reliable
