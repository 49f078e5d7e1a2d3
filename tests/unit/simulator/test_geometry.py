"""A memory budget becomes the largest TFM that fits, or says why not."""

from __future__ import annotations

import pytest

from simulator.geometry import (
    HEAVY_LEAST,
    HEAVY_MOST,
    HEAVY_SLOTS,
    MAX_TFM,
    Geometry,
    for_memory,
    smallest_memory,
)
from simulator.layout import FLOW, HEADER, KEYS, SLOTS, SRC, Key


@pytest.mark.parametrize("memory", [64 << 10, 256 << 10, (1 << 20) + 17])
@pytest.mark.parametrize("instances", [1, 2, 5])
@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_all_buffers_fit_the_budget_and_use_nearly_all_of_it(
    memory: int, instances: int, key: Key
) -> None:
    shape = for_memory(memory, key, instances)
    assert shape.low_detail_bytes <= memory
    assert memory - shape.low_detail_bytes < 2 * 64 * shape.tfms
    assert shape.value_size % 64 == 0


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_least_budget_works_and_a_byte_less_names_it(key: Key) -> None:
    least = smallest_memory(key, 3)
    assert for_memory(least, key, 3).low_detail_bytes <= least
    with pytest.raises(ValueError, match=f"at least {least} bytes"):
        for_memory(least - 1, key, 3)


def test_absurd_budget_is_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_TFM}"):
        for_memory(1 << 45, SRC, 2)


@pytest.mark.parametrize("rows", [0, 9])
def test_rows_beyond_the_programs_are_refused(rows: int) -> None:
    with pytest.raises(ValueError, match="rows must be 1 to 8"):
        Geometry(FLOW, 1, 1, rows, 1)


def test_zero_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Geometry(SRC, 1, 0, 3, 1)


@pytest.mark.parametrize("instances", [2, 4])
def test_heavy_slots_do_not_grow_with_the_keys_at_first(instances: int) -> None:
    """Heavy hitters are a share of the packets: their number depends on no memory."""
    small, large = (for_memory(m, SRC, instances) for m in (800 << 10, 900 << 10))
    assert small.buckets == large.buckets == HEAVY_SLOTS // SLOTS // instances
    assert small.groups < large.groups


@pytest.mark.parametrize(("memory", "share"), [(16 << 10, HEAVY_MOST), (64 << 20, HEAVY_LEAST)])
def test_heavy_share_has_bounds(memory: int, share: float) -> None:
    shape = for_memory(memory, SRC, 1)
    counters = shape.value_size - HEADER.itemsize
    assert shape.buckets * SRC.bucket.itemsize == pytest.approx(share * counters, rel=0.04)
