"""NitroSketch: a Count Sketch whose rows are sampled (Liu et al., SIGCOMM 2019)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce, row_bits
from simulator.jit import njit, signed
from simulator.sketches import top_table
from simulator.sketches.arrays import ArraySketch, flat, largest, width_of
from simulator.sketches.count_sketch import ROWS, median_of, sign_of
from simulator.sketches.draws import draw_gap
from simulator.sketches.protocol import Counts, Keys, Law, Secret, Top
from simulator.sketches.top_table import TopTable

EVERY = 100  # the paper's p = 0.01
TOP_SHARE = 0.25  # of the memory, for the table of the largest keys


class Parts(NamedTuple):
    """The grid, the table of the largest keys, and where the sampling stands."""

    grid: NDArray[np.int32]  # (rows, width)
    clock: NDArray[np.uint64]  # (2,): state of the random numbers, row updates still to skip
    table: TopTable
    scratch: NDArray[np.int64]  # (rows,)


@njit
def _update_row(
    parts: Parts, secret: Secret, words: Keys, at: int, row: int, by: int, key: tuple[int, ...]
) -> None:
    grid, table = parts.grid, parts.table
    h1, h2 = hash_murmur3(words, at, len(key), secret[0])
    grid[row, reduce(row_bits(h1, row), grid.shape[1])] += by * sign_of(h2, row)
    count = median_of(grid, h1, h2, parts.scratch)
    entry = top_table.find(table, words, at, key)
    if entry >= 0:
        top_table.set_count(table, entry, max(0, count))
    elif count > top_table.smallest(table):
        top_table.put(table, words, at, key, count)


@njit
def _update(parts: Parts, secret: Secret, words: Keys, key: tuple[int, ...], every: int) -> None:
    rows = len(parts.grid)
    end = signed(len(words)) // len(key) * rows
    place = signed(parts.clock[1])  # packet * rows + row, over this batch
    while place < end:
        _update_row(parts, secret, words, place // rows * len(key), place % rows, every, key)
        place += 1 + draw_gap(parts.clock, 1 / every)
    parts.clock[1] = place - end


@njit
def _query(parts: Parts, secret: Secret, words: Keys, key: tuple[int, ...], out: Counts) -> None:
    for i in range(len(out)):
        h1, h2 = hash_murmur3(words, i * len(key), len(key), secret[0])
        out[i] = max(0, median_of(parts.grid, h1, h2, parts.scratch))


class Nitro(ArraySketch):
    """Each row of each packet is updated with probability 1 / `every`, and then by `every`."""

    laws: ClassVar = frozenset[Law]()  # a row is unbiased, the median of rows is not

    def __init__(
        self,
        rows: int,
        width: int,
        entries: int,
        key_words: int,
        seed: int,
        *,
        every: int = EVERY,
    ) -> None:
        """Start empty; `rows` is odd, `entries` the size of the table of the largest keys."""
        self.parts = Parts(
            np.zeros((rows, width), np.int32),
            np.array([seed & (1 << 64) - 1, 0], np.uint64),
            top_table.top_table(entries, key_words),
            np.zeros(rows, np.int64),
        )
        self.every = every
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)
        self.parts.clock[1] = draw_gap(self.parts.clock, 1 / every)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int, *, every: int = EVERY) -> Self:
        """Return five rows and a table of the largest keys in at most `memory` bytes."""
        entries = max(1, top_table.entries_for(int(memory * TOP_SHARE), key_words))
        table = 4 + entries * (8 * key_words + top_table.ENTRY_BYTES)
        width = (memory - table - 16) // (ROWS * 4)
        if width < 1:
            least = table + 16 + ROWS * 4
            raise ValueError(f"{memory} bytes hold no counter: at least {least} bytes are needed")
        return cls(ROWS, width, entries, key_words, seed, every=every)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return grid, sampling state and table."""
        return self.parts.grid, self.parts.clock, *self.parts.table

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.parts, self._secret, flat(keys), self._key, self.every)

    def estimate(self, keys: Keys) -> Counts:
        """Return the median counter of each key, uint64 (n,); a negative one is 0."""
        out = np.empty(len(keys), np.uint64)
        _query(self.parts, self._secret, flat(keys), self._key, out)
        return out

    def top(self, count: int) -> Top:
        """Return the `count` largest keys of the table, with the sketch's estimates."""
        keys = top_table.stored(self.parts.table, len(self.parts.table.counts)).keys
        return largest(keys, self.estimate(keys), count)
