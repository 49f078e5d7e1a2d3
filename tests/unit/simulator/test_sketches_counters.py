"""Small cases of the sketches that are grids of counters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_many
from simulator.layout import Hash
from simulator.sketches.conservative import Conservative
from simulator.sketches.count_min import CountMin
from simulator.sketches.count_sketch import CountSketch
from simulator.sketches.salsa import Salsa
from simulator.traffic import generate


def keys_of(*ranks: int) -> NDArray[np.uint64]:
    return np.array([[0, rank + 1] for rank in ranks], np.uint64)


@pytest.fixture(scope="module")
def packets() -> NDArray[np.uint64]:
    return generate("zipf-1.1", 60_000, 3, keys=8_000).keys


@pytest.fixture(scope="module")
def distinct(packets: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    return np.unique(packets, axis=0, return_counts=True)


def test_count_sketch_adds_and_subtracts_by_the_second_hash() -> None:
    sketch = CountSketch(3, 50, 2, seed=4)
    sketch.update(keys_of(*[9] * 5))
    h2 = int(hash_many(Hash.MURMUR3, keys_of(9), epoch_secret(4, 0))[0, 1])
    for row, counters in enumerate(sketch.grid):
        assert counters.sum() == 5 * (1 - 2 * (h2 >> row & 1))


def test_count_sketch_answers_the_median_and_never_below_zero() -> None:
    sketch = CountSketch(3, 1, 2, seed=4)
    h2 = int(hash_many(Hash.MURMUR3, keys_of(9), epoch_secret(4, 0))[0, 1])
    signs = np.array([1 - 2 * (h2 >> row & 1) for row in range(3)])
    sketch.grid[:, 0] = signs * [10, 30, 20]
    assert sketch.estimate(keys_of(9))[0] == 20
    sketch.grid[:, 0] = signs * [-10, 30, -20]
    assert sketch.estimate(keys_of(9))[0] == 0


def test_conservative_update_raises_only_the_smallest_counters() -> None:
    sketch = Conservative(2, 1, 2, seed=1)
    sketch.grid[:] = [[7], [4]]
    sketch.update(keys_of(1))
    assert sketch.grid.tolist() == [[7], [5]]


def test_conservative_update_is_nowhere_above_plain_count_min(
    packets: NDArray[np.uint64], distinct: tuple[NDArray[np.uint64], NDArray[np.int64]]
) -> None:
    plain = CountMin(4, 700, epoch_secret(6, 0))
    conservative = Conservative(4, 700, 2, seed=6)
    plain.update(packets)
    conservative.update(packets)
    keys, true = distinct
    assert (conservative.estimate(keys) <= plain.estimate(keys)).all()
    assert (conservative.estimate(keys) >= true).all()
    assert conservative.estimate(keys).sum() < 0.8 * plain.estimate(keys).sum()


def salsa_with(packets: int) -> Salsa:
    sketch = Salsa(1, 1, 2, seed=1)
    sketch.update(keys_of(*[5] * packets))
    return sketch


@pytest.mark.parametrize(
    ("packets", "level"), [(255, 0), (256, 1), (65_535, 1), (65_536, 2), (70_000, 2)]
)
def test_salsa_counters_merge_when_they_are_full(packets: int, level: int) -> None:
    sketch = salsa_with(packets)
    assert int(sketch.merges[0, 0]).bit_count() == level
    assert sketch.estimate(keys_of(5))[0] == packets
    shared = int((sketch.estimate(keys_of(*range(400))) == packets).sum())
    assert shared / 400 == pytest.approx(2**level / 8, abs=0.08)  # the keys on merged bytes


def test_salsa_merges_to_the_larger_of_two_counters() -> None:
    sketch = salsa_with(255)
    byte = int(sketch.blocks[0, 0]).bit_length() // 8 - 1
    sketch.blocks[0, 0] |= np.uint64(200) << np.uint64(8 * (byte ^ 1))
    sketch.update(keys_of(5))
    assert sketch.estimate(keys_of(5))[0] == 256  # not 455: the counters hold bounds, not sums


def test_salsa_is_nowhere_above_the_wide_counters_that_it_could_merge_into(
    packets: NDArray[np.uint64], distinct: tuple[NDArray[np.uint64], NDArray[np.int64]]
) -> None:
    lean = Salsa(4, 300, 2, seed=6)
    wide = Conservative(4, 2 * 300, 2, seed=6)  # each counter above four of SALSA's
    lean.update(packets)
    wide.update(packets)
    keys, true = distinct
    assert lean.merges.any()
    assert (lean.estimate(keys) <= wide.estimate(keys)).all()
    assert (lean.estimate(keys) >= true).all()
