"""Space-Saving (Metwally, Agrawal and El Abbadi, ICDT 2005)."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit, signed
from simulator.sketches import top_table
from simulator.sketches.arrays import ArraySketch, flat, width_of
from simulator.sketches.protocol import Counts, Keys, Law, Top
from simulator.sketches.top_table import TopTable


@njit
def _update(table: TopTable, words: Keys, key: tuple[int, ...]) -> None:
    for at in range(0, len(words), len(key)):
        entry = top_table.find(table, words, at, key)
        if entry >= 0:
            top_table.set_count(table, entry, signed(table.counts[entry]) + 1)
        else:
            top_table.put(table, words, at, key, top_table.smallest(table) + 1)


@njit
def _query(table: TopTable, words: Keys, key: tuple[int, ...], out: Counts) -> None:
    for i in range(len(out)):
        entry = top_table.find(table, words, i * len(key), key)
        out[i] = table.counts[entry] if entry >= 0 else 0


class SpaceSaving(ArraySketch):
    """m keys with counts; a new key takes the smallest count's place and counts on from it.

    A stored key's count is above the truth by `smallest` at most, and so by N / m.
    """

    laws: ClassVar = frozenset({Law.CONSERVING, Law.DETERMINISTIC})

    def __init__(self, entries: int, key_words: int) -> None:
        """Start empty."""
        self.table = top_table.top_table(entries, key_words)
        self._key = width_of(key_words)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return as many entries as fit; the seed changes nothing."""
        entries = top_table.entries_for(memory, key_words)
        if entries < 1:
            raise ValueError(
                f"{memory} bytes hold no entry: at least "
                f"{8 * key_words + top_table.ENTRY_BYTES + 4} bytes are needed"
            )
        return cls(entries, key_words)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return the table: keys, counts, heap and index."""
        return self.table

    @property
    def smallest(self) -> int:
        """Return the smallest count: no key that is not stored has more packets."""
        return int(top_table.smallest(self.table))

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.table, flat(keys), self._key)

    def estimate(self, keys: Keys) -> Counts:
        """Return the count of each key, uint64 (n,); 0 for keys that are not stored."""
        out = np.empty(len(keys), np.uint64)
        _query(self.table, flat(keys), self._key, out)
        return out

    def top(self, count: int) -> Top:
        """Return the `count` largest stored keys."""
        return top_table.stored(self.table, count)
