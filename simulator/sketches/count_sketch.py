"""Count Sketch: the median of signed counters (Charikar, Chen and Farach-Colton, ICALP 2002)."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce, row_bits
from simulator.jit import njit, signed
from simulator.sketches.arrays import ArraySketch, flat, units, width_of
from simulator.sketches.protocol import Counts, Keys, Law, Secret

ROWS = 5  # odd, so that the median is a counter
_1 = np.uint64(1)


@njit
def sign_of(h2: np.uint64, row: int) -> int:
    """Return +1 or -1, one bit of the second hash per row."""
    return 1 - 2 * signed((h2 >> np.uint64(row)) & _1)


@njit
def median_of(
    grid: NDArray[np.int32], h1: np.uint64, h2: np.uint64, sorted_: NDArray[np.int64]
) -> int:
    """Return the median of a key's signed counters; `sorted_`, one place per row, is scratch."""
    rows, width = grid.shape
    for row in range(rows):
        value = signed(grid[row, reduce(row_bits(h1, row), width)]) * sign_of(h2, row)
        place = row
        while place > 0 and sorted_[place - 1] > value:
            sorted_[place] = sorted_[place - 1]
            place -= 1
        sorted_[place] = value
    return signed(sorted_[rows // 2])


@njit
def _update(grid: NDArray[np.int32], secret: Secret, words: Keys, key: tuple[int, ...]) -> None:
    rows, width = grid.shape
    for at in range(0, len(words), len(key)):
        h1, h2 = hash_murmur3(words, at, len(key), secret[0])
        for row in range(rows):
            grid[row, reduce(row_bits(h1, row), width)] += sign_of(h2, row)


@njit
def _query(
    grid: NDArray[np.int32],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
    scratch: NDArray[np.int64],
    out: Counts,
) -> None:
    for i in range(len(out)):
        h1, h2 = hash_murmur3(words, i * len(key), len(key), secret[0])
        out[i] = max(0, median_of(grid, h1, h2, scratch))


class CountSketch(ArraySketch):
    """A grid of i32 counters; every key adds +1 or -1 to one counter of each row."""

    laws: ClassVar = frozenset({Law.LINEAR, Law.ORDER_FREE, Law.UNBIASED, Law.DETERMINISTIC})

    def __init__(self, rows: int, width: int, key_words: int, seed: int) -> None:
        """Start empty; `rows` is odd."""
        self.grid = np.zeros((rows, width), np.int32)
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return five rows in at most `memory` bytes."""
        return cls(ROWS, units(memory, ROWS * 4, "counter in each row"), key_words, seed)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return the grid."""
        return (self.grid,)

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.grid, self._secret, flat(keys), self._key)

    def estimate(self, keys: Keys) -> Counts:
        """Return the median counter of each key, uint64 (n,); a negative one is 0."""
        out = np.empty(len(keys), np.uint64)
        scratch = np.empty(len(self.grid), np.int64)
        _query(self.grid, self._secret, flat(keys), self._key, scratch, out)
        return out

    def merge(self, other: Self) -> None:
        """Add what `other`, of the same shape and seed, has counted."""
        self.grid += other.grid
