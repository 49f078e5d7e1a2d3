"""HeavyKeeper, the Software Minimum version (Gong et al., USENIX ATC 2018; ToN 2019)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce, row_bits
from simulator.jit import njit, signed
from simulator.sketches import top_table
from simulator.sketches.arrays import ArraySketch, flat, width_of
from simulator.sketches.draws import draw
from simulator.sketches.protocol import Counts, Keys, Law, Secret, Top
from simulator.sketches.top_table import TopTable

ROWS = 2
BASE = 1.08  # a packet of another key lowers a counter C with probability BASE^-C
TOP_SHARE = 0.25  # of the memory, for the table of the largest keys
_BUCKET = 2 + 4
_48 = np.uint64(48)
# BASE^-C in 64ths of bits; beyond its end the probability is below 2^-64.
_DECAY = np.array([min(2**64 - 1, int(BASE**-c * 2**64)) for c in range(577)], np.uint64)


class Parts(NamedTuple):
    """Buckets of fingerprint and counter, the table of the largest keys, and random numbers."""

    prints: NDArray[np.uint16]  # (rows, width)
    counts: NDArray[np.uint32]  # (rows, width)
    random: NDArray[np.uint64]  # (1,)
    table: TopTable


@njit
def _decays(random: NDArray[np.uint64], decay: NDArray[np.uint64], count: int) -> bool:
    return count < len(decay) and draw(random) <= decay[count]


@njit
def _count(parts: Parts, h1: np.uint64, h2: np.uint64, kept: bool, decay: Keys) -> int:
    """Count a packet in one of its buckets; returns the key's new count, 0 where it has none."""
    prints, counts = parts.prints, parts.counts
    width, mark = counts.shape[1], h2 >> _48
    row = column = -1
    for r in range(len(counts)):
        c = reduce(row_bits(h1, r), width)
        if counts[r, c] and prints[r, c] == mark:
            # Selective increment: a key outside the table may not pass by the table's smallest.
            if kept or counts[r, c] <= top_table.smallest(parts.table):
                counts[r, c] += np.uint32(1)
                return signed(counts[r, c])
            return 0
        if row < 0 or counts[r, c] < counts[row, column]:
            row, column = r, c
    if counts[row, column] and _decays(parts.random, decay, signed(counts[row, column])):
        counts[row, column] -= np.uint32(1)
    if counts[row, column]:
        return 0
    prints[row, column] = mark
    counts[row, column] = 1
    return 1


@njit
def _update(parts: Parts, secret: Secret, words: Keys, key: tuple[int, ...], decay: Keys) -> None:
    table = parts.table
    for at in range(0, len(words), len(key)):
        h1, h2 = hash_murmur3(words, at, len(key), secret[0])
        entry = top_table.find(table, words, at, key)
        count = _count(parts, h1, h2, entry >= 0, decay)
        if entry >= 0:
            if count > signed(table.counts[entry]):
                top_table.set_count(table, entry, count)
        # At most the smallest plus 1, by the selective increment: a count far above it would be
        # that of another key with the same fingerprint.
        elif count > top_table.smallest(table):
            top_table.put(table, words, at, key, count)


@njit
def _query(parts: Parts, secret: Secret, words: Keys, key: tuple[int, ...], out: Counts) -> None:
    counts = parts.counts
    for i in range(len(out)):
        entry = top_table.find(parts.table, words, i * len(key), key)
        if entry >= 0:
            out[i] = parts.table.counts[entry]
            continue
        h1, h2 = hash_murmur3(words, i * len(key), len(key), secret[0])
        for row in range(len(counts)):
            column = reduce(row_bits(h1, row), counts.shape[1])
            if parts.prints[row, column] == h2 >> _48:
                out[i] = max(out[i], np.uint64(counts[row, column]))


class HeavyKeeper(ArraySketch):
    """Buckets that a large key keeps and small keys wear away; the largest keys in a table."""

    laws: ClassVar = frozenset[Law]()

    def __init__(self, rows: int, width: int, entries: int, key_words: int, seed: int) -> None:
        """Start empty; `entries` is the paper's k."""
        self.parts = Parts(
            np.zeros((rows, width), np.uint16),
            np.zeros((rows, width), np.uint32),
            np.array([seed & (1 << 64) - 1], np.uint64),
            top_table.top_table(entries, key_words),
        )
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)

    @classmethod
    def for_memory(
        cls, memory: int, key_words: int, seed: int, *, top_share: float = TOP_SHARE
    ) -> Self:
        """Return two rows and a table of the largest keys in at most `memory` bytes."""
        entries = max(1, top_table.entries_for(int(memory * top_share), key_words))
        table = 4 + entries * (8 * key_words + top_table.ENTRY_BYTES)
        width = (memory - table - 8) // (ROWS * _BUCKET)
        if width < 1:
            least = table + 8 + ROWS * _BUCKET
            raise ValueError(f"{memory} bytes hold no bucket: at least {least} bytes are needed")
        return cls(ROWS, width, entries, key_words, seed)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return buckets, random state and table."""
        return *self.parts[:3], *self.parts.table

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.parts, self._secret, flat(keys), self._key, _DECAY)

    def estimate(self, keys: Keys) -> Counts:
        """Return the table's count of each key, else its largest bucket's, uint64 (n,)."""
        out = np.zeros(len(keys), np.uint64)
        _query(self.parts, self._secret, flat(keys), self._key, out)
        return out

    def top(self, count: int) -> Top:
        """Return the `count` largest keys of the table."""
        return top_table.stored(self.parts.table, count)
