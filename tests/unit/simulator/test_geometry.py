"""A memory budget becomes the largest TFM that fits, or says why not."""

from __future__ import annotations

import pytest

from simulator.geometry import MAX_TFM, Geometry, for_memory, smallest_memory
from simulator.layout import FLOW, KEYS, SRC, Key


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
