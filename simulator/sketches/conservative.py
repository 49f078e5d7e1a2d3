"""Count-min with conservative update (Estan and Varghese, SIGCOMM 2002), u32."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce, row_bits
from simulator.jit import njit
from simulator.sketches.arrays import ArraySketch, flat, units, width_of
from simulator.sketches.protocol import Counts, Keys, Law, Secret

ROWS = 4


@njit
def _smallest(grid: NDArray[np.uint32], h1: np.uint64) -> np.uint32:
    rows, width = grid.shape
    smallest: np.uint32 = grid[0, reduce(row_bits(h1, 0), width)]
    for row in range(1, rows):
        smallest = min(smallest, grid[row, reduce(row_bits(h1, row), width)])
    return smallest


@njit
def _update(grid: NDArray[np.uint32], secret: Secret, words: Keys, key: tuple[int, ...]) -> None:
    rows, width = grid.shape
    for at in range(0, len(words), len(key)):
        h1, _ = hash_murmur3(words, at, len(key), secret[0])
        smallest = _smallest(grid, h1)
        for row in range(rows):
            column = reduce(row_bits(h1, row), width)
            if grid[row, column] == smallest:
                grid[row, column] = smallest + np.uint32(1)


@njit
def _query(
    grid: NDArray[np.uint32], secret: Secret, words: Keys, key: tuple[int, ...], out: Counts
) -> None:
    for i in range(len(out)):
        h1, _ = hash_murmur3(words, i * len(key), len(key), secret[0])
        out[i] = _smallest(grid, h1)


class Conservative(ArraySketch):
    """A grid of u32 counters, of which a packet raises only the smallest of its key."""

    laws: ClassVar = frozenset({Law.NEVER_UNDER, Law.DETERMINISTIC})

    def __init__(self, rows: int, width: int, key_words: int, seed: int) -> None:
        """Start empty."""
        self.grid = np.zeros((rows, width), np.uint32)
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return four rows in at most `memory` bytes."""
        return cls(ROWS, units(memory, ROWS * 4, "counter in each row"), key_words, seed)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return the grid."""
        return (self.grid,)

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.grid, self._secret, flat(keys), self._key)

    def estimate(self, keys: Keys) -> Counts:
        """Return the smallest counter of each key, uint64 (n,)."""
        out = np.empty(len(keys), np.uint64)
        _query(self.grid, self._secret, flat(keys), self._key, out)
        return out
