"""1-in-N packet sampling into a hash table, as sampled NetFlow counts (Cisco; RFC 5475)."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce
from simulator.jit import njit, signed
from simulator.sketches.arrays import ArraySketch, flat, largest, units, width_of
from simulator.sketches.draws import draw_gap
from simulator.sketches.protocol import Counts, Keys, Law, Secret, Top
from simulator.words import copy_key, same_key

EVERY = 16
FULL = 7 / 8  # of the slots: beyond, probing gets long


@njit
def _find(
    stored: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    secret: Secret,
    words: Keys,
    at: int,
    key: tuple[int, ...],
) -> int:
    """Return the slot of a key, or the free slot where it belongs."""
    h1, _ = hash_murmur3(words, at, len(key), secret[0])
    slot = reduce(h1, len(counts))
    while counts[slot] and not same_key(stored, slot * len(key), words, at, len(key)):
        slot = slot + 1 if slot + 1 < len(counts) else 0
    return slot


@njit
def _update(
    stored: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    clock: NDArray[np.uint64],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
    every: int,
    most: int,
) -> None:
    packets = signed(len(words)) // len(key)
    packet = signed(clock[1])
    while packet < packets:
        at = packet * len(key)
        slot = _find(stored, counts, secret, words, at, key)
        if counts[slot] or signed(clock[2]) < most:
            if counts[slot] == 0:
                copy_key(stored, slot * len(key), words, at, len(key))
                clock[2] += np.uint64(1)
            counts[slot] += np.uint32(1)
        packet += 1 + draw_gap(clock, 1 / every)
    clock[1] = packet - packets


@njit
def _query(
    stored: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    secret: Secret,
    words: Keys,
    key: tuple[int, ...],
    out: Counts,
) -> None:
    for i in range(len(out)):
        out[i] = counts[_find(stored, counts, secret, words, i * len(key), key)]


class Sampled(ArraySketch):
    """A hash table of sampled packets, whose counts are times N; a full one refuses new keys."""

    laws: ClassVar = frozenset({Law.UNBIASED})

    def __init__(self, slots: int, key_words: int, seed: int, *, every: int = EVERY) -> None:
        """Start empty, with every packet sampled with probability 1 / `every`."""
        self.keys = np.zeros(slots * key_words, np.uint64)
        self.counts = np.zeros(slots, np.uint32)
        # State of the random numbers, packets still to skip, slots in use.
        self._clock = np.array([seed & (1 << 64) - 1, 0, 0], np.uint64)
        self.every, self._most = every, max(1, int(slots * FULL))
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)
        self._clock[1] = draw_gap(self._clock, 1 / every)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int, *, every: int = EVERY) -> Self:
        """Return a table of at most `memory` bytes."""
        size = 8 * key_words + 4
        slots = units(memory, size, "two slots", besides=24 + size) + 1  # one always stays free
        return cls(slots, key_words, seed, every=every)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return keys, counts and the state of the sampling."""
        return self.keys, self.counts, self._clock

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(
            self.keys,
            self.counts,
            self._clock,
            self._secret,
            flat(keys),
            self._key,
            self.every,
            self._most,
        )

    def estimate(self, keys: Keys) -> Counts:
        """Return N times the sampled packets of each key, uint64 (n,)."""
        out = np.empty(len(keys), np.uint64)
        _query(self.keys, self.counts, self._secret, flat(keys), self._key, out)
        return out * np.uint64(self.every)

    def top(self, count: int) -> Top:
        """Return the `count` keys with the most sampled packets."""
        held = self.counts > 0
        keys = self.keys.reshape(-1, len(self._key))[held]
        return largest(keys, self.counts[held].astype(np.uint64) * np.uint64(self.every), count)
