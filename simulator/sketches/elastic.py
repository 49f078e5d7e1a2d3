"""Elastic Sketch, the software version (Yang et al., SIGCOMM 2018)."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_murmur3, reduce
from simulator.jit import njit, signed
from simulator.sketches.arrays import ArraySketch, flat, largest, width_of
from simulator.sketches.protocol import Counts, Keys, Law, Secret, Top
from simulator.words import copy_key, same_key

SLOTS = 7  # keys of a bucket; an eighth counter holds its negative votes
LAMBDA = 8
HEAVY_SHARE = 0.25  # 150 KB of the paper's 600 KB
LIGHT_MAX = 255
_FLAG = np.uint32(1 << 31)  # the key may have packets in the light part
_COUNT = np.uint32((1 << 31) - 1)


class Parts(NamedTuple):
    """The heavy part's keys and counts, and the light part's one row."""

    keys: NDArray[np.uint64]  # (buckets * SLOTS * words,)
    counts: NDArray[np.uint32]  # (buckets, SLOTS + 1): packets, the last one the votes
    light: NDArray[np.uint8]  # (width,)


@njit
def _light_add(light: NDArray[np.uint8], h1: np.uint64, packets: int, fresh: bool) -> None:
    """Add an evicted key's packets; where it was never here before, raising is enough."""
    at = reduce(h1, len(light))
    counter = signed(light[at])
    after = max(counter, packets) if fresh else counter + packets
    light[at] = min(after, LIGHT_MAX)


@njit
def _count(parts: Parts, secret: Secret, words: Keys, at: int, key: tuple[int, ...]) -> None:
    h1, h2 = hash_murmur3(words, at, len(key), secret[0])
    bucket = reduce(h2, len(parts.counts))
    first = bucket * SLOTS * len(key)
    victim, smallest = 0, _COUNT
    for slot in range(SLOTS):
        packets = parts.counts[bucket, slot] & _COUNT
        if packets == 0:
            copy_key(parts.keys, first + slot * len(key), words, at, len(key))
        if packets == 0 or same_key(parts.keys, first + slot * len(key), words, at, len(key)):
            parts.counts[bucket, slot] += np.uint32(1)
            return
        if packets < smallest:
            victim, smallest = slot, packets
    votes = parts.counts[bucket, SLOTS] + np.uint32(1)
    if votes < LAMBDA * smallest:
        parts.counts[bucket, SLOTS] = votes
        _light_add(parts.light, h1, 1, False)
        return
    loser = first + victim * len(key)
    h1, _ = hash_murmur3(parts.keys, loser, len(key), secret[0])
    fresh = parts.counts[bucket, victim] & _FLAG == 0
    _light_add(parts.light, h1, signed(smallest), fresh)
    copy_key(parts.keys, loser, words, at, len(key))
    parts.counts[bucket, victim] = np.uint32(1) | _FLAG
    parts.counts[bucket, SLOTS] = 0


@njit
def _update(parts: Parts, secret: Secret, words: Keys, key: tuple[int, ...]) -> None:
    for at in range(0, len(words), len(key)):
        _count(parts, secret, words, at, key)


@njit
def _query(parts: Parts, secret: Secret, words: Keys, key: tuple[int, ...], out: Counts) -> None:
    for i in range(len(out)):
        h1, h2 = hash_murmur3(words, i * len(key), len(key), secret[0])
        bucket = reduce(h2, len(parts.counts))
        held = _FLAG
        for slot in range(SLOTS):
            place = (bucket * SLOTS + slot) * len(key)
            if parts.counts[bucket, slot] == 0:
                break
            if same_key(parts.keys, place, words, i * len(key), len(key)):
                held = parts.counts[bucket, slot]
                break
        out[i] = held & _COUNT
        if held & _FLAG != 0:
            out[i] += parts.light[reduce(h1, len(parts.light))]


class Elastic(ArraySketch):
    """Buckets of seven whole keys with votes, and one row of u8 counters for the rest."""

    laws: ClassVar = frozenset({Law.NEVER_UNDER, Law.DETERMINISTIC})

    def __init__(self, buckets: int, width: int, key_words: int, seed: int) -> None:
        """Start empty."""
        self.parts = Parts(
            np.zeros(buckets * SLOTS * key_words, np.uint64),
            np.zeros((buckets, SLOTS + 1), np.uint32),
            np.zeros(width, np.uint8),
        )
        self._secret, self._key = epoch_secret(seed, 0), width_of(key_words)

    @classmethod
    def for_memory(
        cls, memory: int, key_words: int, seed: int, *, heavy_share: float = HEAVY_SHARE
    ) -> Self:
        """Give a quarter of `memory` bytes to the heavy part, as the paper does."""
        size = SLOTS * 8 * key_words + 4 * (SLOTS + 1)
        if memory <= size:
            raise ValueError(f"{memory} bytes hold no bucket: at least {size + 1} bytes are needed")
        buckets = max(1, int(memory * heavy_share) // size)
        return cls(buckets, memory - buckets * size, key_words, seed)

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return both parts."""
        return self.parts

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        _update(self.parts, self._secret, flat(keys), self._key)

    def estimate(self, keys: Keys) -> Counts:
        """Return the heavy and light counts of each key, uint64 (n,)."""
        out = np.empty(len(keys), np.uint64)
        _query(self.parts, self._secret, flat(keys), self._key, out)
        return out

    def top(self, count: int) -> Top:
        """Return the `count` largest keys of the heavy part with their estimates."""
        held = self.parts.counts[:, :SLOTS].ravel() != 0
        keys = self.parts.keys.reshape(-1, len(self._key))[held]
        return largest(keys, self.estimate(keys), count)
