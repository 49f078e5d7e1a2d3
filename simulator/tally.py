"""Count packets and bytes per key exactly, fast for few keys and for millions.

An open-addressing index (tag of the hash, number of the key) over dense arrays: a new key costs one
random memory access, and the keys come out in the order in which they were first seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import mix_words
from simulator.jit import njit, signed
from simulator.words import copy_key, same_key

_FIRST_ROOM = 1024  # keys
_GROWTH = 4
_NUMBER = np.uint64(0xFFFFFFFF)  # low half of an index cell: number of the key + 1, 0 where free
_TAG = ~_NUMBER
_1 = np.uint64(1)


@njit
def _add(
    index: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    packets: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    used: int,
    count: int,
    words: NDArray[np.uint64],
    more_packets: NDArray[np.uint64],
    more_sizes: NDArray[np.uint64],
    start: int,
) -> tuple[int, int]:
    """Add from place `start` on until all room is used; returns (keys used, next place)."""
    mask = len(index) - 1
    for i in range(start, len(more_packets)):
        mixed = mix_words(words, i * count, count)
        tag = mixed & _TAG
        cell = signed(mixed) & mask
        while True:
            entry = index[cell]
            number = signed(entry & _NUMBER) - 1
            if number < 0:
                if used == len(packets):
                    return used, i
                number = used
                used += 1
                index[cell] = tag | np.uint64(used)
                copy_key(keys, number * count, words, i * count, count)
                packets[number] = sizes[number] = 0
                break
            if entry & _TAG == tag and same_key(keys, number * count, words, i * count, count):
                break
            cell = (cell + 1) & mask
        packets[number] += more_packets[i]
        sizes[number] += more_sizes[i]
    return used, len(more_packets)


@njit
def _fill_index(index: NDArray[np.uint64], keys: NDArray[np.uint64], used: int, count: int) -> None:
    mask = len(index) - 1
    for number in range(used):
        mixed = mix_words(keys, number * count, count)
        cell = signed(mixed) & mask
        while index[cell] != 0:
            cell = (cell + 1) & mask
        index[cell] = mixed & _TAG | np.uint64(number + 1)


class Tally:
    """Exact counts of keys of `words` 64-bit words."""

    def __init__(self, words: int) -> None:
        """Start empty."""
        self._words = words
        self._used = 0
        self._index: NDArray[np.uint64]
        self._keys, self._packets, self._sizes = (np.empty(0, np.uint64) for _ in range(3))
        self._make_room(_FIRST_ROOM)

    def __len__(self) -> int:
        """Return the number of distinct keys."""
        return self._used

    def add(
        self, keys: NDArray[np.uint64], packets: NDArray[np.uint64], sizes: NDArray[np.uint64]
    ) -> None:
        """Add the packets (n,) and bytes (n,) of keys, uint64 (n, words)."""
        words, done = np.ascontiguousarray(keys).reshape(-1), 0
        while True:
            self._used, done = _add(
                self._index,
                self._keys,
                self._packets,
                self._sizes,
                self._used,
                self._words,
                words,
                packets,
                sizes,
                done,
            )
            if done == len(packets):
                return
            self._make_room(_GROWTH * self._used)

    def counts(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
        """Return keys (n, words), packets (n,) and bytes (n,), in order of first appearance."""
        keys = self._keys[: self._used * self._words].reshape(-1, self._words)
        return keys.copy(), self._packets[: self._used].copy(), self._sizes[: self._used].copy()

    def _make_room(self, room: int) -> None:
        self._keys = _longer(self._keys, self._used * self._words, room * self._words)
        self._packets = _longer(self._packets, self._used, room)
        self._sizes = _longer(self._sizes, self._used, room)
        self._index = np.zeros(2 * room, np.uint64)  # room is a power of two: half full at most
        _fill_index(self._index, self._keys, self._used, self._words)


def _longer(array: NDArray[np.uint64], used: int, size: int) -> NDArray[np.uint64]:
    longer = np.empty(size, np.uint64)
    longer[:used] = array[:used]
    return longer
