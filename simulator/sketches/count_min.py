"""The twin of bpf/count_min.bpf.c: plain count-min (Cormode and Muthukrishnan, 2005), u32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import hash_words, reduce, row_bits
from simulator.jit import njit
from simulator.layout import Hash


@njit
def _update(
    grid: NDArray[np.uint32],
    family: int,
    secret: NDArray[np.uint64],
    words: NDArray[np.uint64],
    count: int,
) -> None:
    rows, width = grid.shape
    for key in range(0, len(words), count):
        h1, _ = hash_words(family, words, key, count, secret, 0)
        for row in range(rows):
            grid[row, reduce(row_bits(h1, row), width)] += np.uint32(1)


@njit
def _query(
    grid: NDArray[np.uint32],
    family: int,
    secret: NDArray[np.uint64],
    words: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    rows, width = grid.shape
    count = len(words) // max(1, len(out))
    for i in range(len(out)):
        h1, _ = hash_words(family, words, i * count, count, secret, 0)
        smallest = grid[0, reduce(row_bits(h1, 0), width)]
        for row in range(1, rows):
            smallest = min(smallest, grid[row, reduce(row_bits(h1, row), width)])
        out[i] = smallest


class CountMin:
    """A grid of u32 counters; linear and order-free, it never under-estimates."""

    def __init__(
        self,
        rows: int,
        width: int,
        secret: NDArray[np.uint64],
        family: Hash = Hash.MURMUR3,
    ) -> None:
        """Start empty; `secret` is an epoch's hash keys, uint64 (33,)."""
        self.grid = np.zeros((rows, width), np.uint32)
        self._secret, self._family = secret, int(family)

    @property
    def memory(self) -> int:
        """Return the size of the grid in bytes."""
        return self.grid.nbytes

    def update(self, keys: NDArray[np.uint64]) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        flat = np.ascontiguousarray(keys).reshape(-1)
        _update(self.grid, self._family, self._secret, flat, keys.shape[1])

    def estimate(self, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the smallest counter of each key, uint64 (n,)."""
        out = np.empty(len(keys), np.uint64)
        flat = np.ascontiguousarray(keys).reshape(-1)
        _query(self.grid, self._family, self._secret, flat, out)
        return out
