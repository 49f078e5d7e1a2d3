"""SALSA with conservative update: u8 counters that merge (Ben Basat et al., ICDE 2021)."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce, row_bits
from simulator.jit import njit, signed
from simulator.sketches.arrays import ArraySketch, flat, units, width_of
from simulator.sketches.protocol import Counts, Keys, Law, Secret

ROWS = 4
BLOCK = 8  # counters that can become one, of 64 bits
_MASK = np.uint64(0xFF)
_ONE = np.uint8(1)


@njit
def _level(merged: np.uint8, index: int) -> int:
    """Return the size of the counter over place `index` of a block: 2^level bytes.

    Bit 2i of the block's merge byte joins bytes 2i and 2i + 1, bits 1 and 5 join halves of four
    bytes, bit 3 joins all eight: the paper's simple encoding, one bit per counter.
    """
    bits = signed(merged)
    if bits >> 3 & 1:
        return 3
    if bits >> (index & 4 | 1) & 1:
        return 2
    return bits >> (index & 6) & 1


@njit
def _most(level: int) -> np.uint64:
    """Return the largest number of 2^level bytes."""
    return np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - (8 << level))


@njit
def _read(block: np.uint64, level: int, index: int) -> np.uint64:
    first = index >> level << level
    return (block >> np.uint64(8 * first)) & _most(level)


@njit
def _value(block: np.uint64, merged: np.uint8, index: int) -> np.uint64:
    """Return the counter over place `index`."""
    return _read(block, _level(merged, index), index)


@njit
def _set(
    blocks: NDArray[np.uint64], merges: NDArray[np.uint8], column: int, value: np.uint64
) -> None:
    """Raise a counter to `value`, merging it with its neighbours until it has room.

    The larger of two merged counters counts, and that is `value`: its neighbours have no more
    bits than it had, and it needs more.
    """
    b, index = column // BLOCK, column % BLOCK
    level = _level(merges[b], index)
    while value > _most(level):
        first = index >> (level + 1) << (level + 1)
        merges[b] |= _ONE << np.uint8(first | (1 << level) - 1)
        level += 1
    shift = np.uint64(8 * (index >> level << level))
    blocks[b] = blocks[b] & ~(_most(level) << shift) | value << shift


@njit
def _smallest(blocks: NDArray[np.uint64], merges: NDArray[np.uint8], h1: np.uint64) -> np.uint64:
    smallest = ~np.uint64(0)
    for row in range(len(blocks)):
        column = reduce(row_bits(h1, row), blocks.shape[1] * BLOCK)
        b = column // BLOCK
        smallest = min(smallest, _value(blocks[row, b], merges[row, b], column % BLOCK))
    return smallest


@njit
def _update(
    blocks: NDArray[np.uint64],
    merges: NDArray[np.uint8],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
) -> None:
    for at in range(0, len(words), len(key)):
        h1, _ = hash_murmur3(words, at, len(key), secret[0])
        after = _smallest(blocks, merges, h1) + np.uint64(1)
        for row in range(len(blocks)):
            column = reduce(row_bits(h1, row), blocks.shape[1] * BLOCK)
            b = column // BLOCK
            if _value(blocks[row, b], merges[row, b], column % BLOCK) < after:
                _set(blocks[row], merges[row], column, after)


@njit
def _query(
    blocks: NDArray[np.uint64],
    merges: NDArray[np.uint8],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
    out: Counts,
) -> None:
    for i in range(len(out)):
        h1, _ = hash_murmur3(words, i * len(key), len(key), secret[0])
        out[i] = _smallest(blocks, merges, h1)


class Salsa(ArraySketch):
    """Rows of u8 counters with a merge bit each; a full counter and its neighbour become one."""

    laws: ClassVar = frozenset({Law.NEVER_UNDER, Law.DETERMINISTIC})

    def __init__(self, rows: int, blocks: int, key_words: int, seed: int) -> None:
        """Start empty, with 8 `blocks` counters in each row."""
        self.blocks = np.zeros((rows, blocks), np.uint64)
        self.merges = np.zeros((rows, blocks), np.uint8)
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return four rows in at most `memory` bytes."""
        size = ROWS * (BLOCK + 1)
        return cls(ROWS, units(memory, size, "block of counters in each row"), key_words, seed)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return counters and merge bits."""
        return self.blocks, self.merges

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.blocks, self.merges, self._secret, flat(keys), self._key)

    def estimate(self, keys: Keys) -> Counts:
        """Return the smallest counter of each key, uint64 (n,)."""
        out = np.empty(len(keys), np.uint64)
        _query(self.blocks, self.merges, self._secret, flat(keys), self._key, out)
        return out
