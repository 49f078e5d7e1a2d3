"""CocoSketch, the basic version (Zhang et al., SIGCOMM 2021)."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce, row_bits
from simulator.jit import njit, signed
from simulator.sketches.arrays import ArraySketch, flat, largest, units, width_of
from simulator.sketches.draws import draw_one_in
from simulator.sketches.protocol import Counts, Keys, Law, Secret, Top
from simulator.words import copy_key, same_key

ROWS = 2  # the paper's choice for software


@njit
def _update(
    stored: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    random: NDArray[np.uint64],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
) -> None:
    rows, width = counts.shape
    for at in range(0, len(words), len(key)):
        h1, _ = hash_murmur3(words, at, len(key), secret[0])
        row = column = smallest = -1
        for r in range(rows):
            c = reduce(row_bits(h1, r), width)
            count = signed(counts[r, c])
            if count and same_key(stored, (r * width + c) * len(key), words, at, len(key)):
                row, column, smallest = r, c, -1
                break
            if row < 0 or count < smallest:
                row, column, smallest = r, c, count
        counts[row, column] += np.uint32(1)
        if smallest >= 0 and draw_one_in(random, smallest + 1):
            copy_key(stored, (row * width + column) * len(key), words, at, len(key))


@njit
def _query(
    stored: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
    out: Counts,
) -> None:
    rows, width = counts.shape
    for i in range(len(out)):
        h1, _ = hash_murmur3(words, i * len(key), len(key), secret[0])
        for row in range(rows):
            column = reduce(row_bits(h1, row), width)
            place = (row * width + column) * len(key)
            if counts[row, column] and same_key(stored, place, words, i * len(key), len(key)):
                out[i] = counts[row, column]
                break


class Coco(ArraySketch):
    """Buckets of one key and one counter; the smaller of a key's two buckets is taken over.

    A packet always adds 1 to a counter of value v, and its key takes the place with probability
    1 / (v + 1): so the sum over any set of keys is unbiased.
    """

    laws: ClassVar = frozenset({Law.UNBIASED, Law.CONSERVING})

    def __init__(self, rows: int, width: int, key_words: int, seed: int) -> None:
        """Start empty."""
        self.keys = np.zeros(rows * width * key_words, np.uint64)
        self.counts = np.zeros((rows, width), np.uint32)
        self._random = np.array([seed & (1 << 64) - 1], np.uint64)
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return two rows of buckets in at most `memory` bytes."""
        size = ROWS * (8 * key_words + 4)
        return cls(ROWS, units(memory, size, "bucket in each row", besides=8), key_words, seed)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return keys, counters and the state of the random numbers."""
        return self.keys, self.counts, self._random

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.keys, self.counts, self._random, self._secret, flat(keys), self._key)

    def estimate(self, keys: Keys) -> Counts:
        """Return the counter of each key, uint64 (n,); 0 for keys that are not stored."""
        out = np.zeros(len(keys), np.uint64)
        _query(self.keys, self.counts, self._secret, flat(keys), self._key, out)
        return out

    def top(self, count: int) -> Top:
        """Return the `count` largest stored keys."""
        counts = self.counts.ravel().astype(np.uint64)
        keys = self.keys.reshape(-1, len(self._key))
        return largest(keys[counts > 0], counts[counts > 0], count)
