"""Measure the error of the light part from the sketch itself, by phantom keys.

A phantom key was never inserted, so whatever the sketch answers for it is error, drawn from the
distribution that real keys suffer (for plain count-min; for conservative update it bounds theirs,
because a key's own counters are raised no further than they must be). All bits of a phantom key
come from the epoch's secret, so nobody can send one on purpose; that one of them was inserted by
chance has a probability of (keys * phantom keys) / 2^128 at most, which is neglected.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.geometry import Geometry
from simulator.hashing import fmix64, hash_words
from simulator.jit import njit
from simulator.layout import HASH_WORDS, Hash
from simulator.light import light_find
from simulator.sketches import tfm
from simulator.sketches.tfm import Memory, Shape

PHANTOMS = 2048  # answers that a look takes, over all instances
LEAST_PHANTOMS = 64
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # splitmix64 (Steele, Lea and Flood, 2014)


@njit
def _draw(words: NDArray[np.uint64], secret: np.uint64) -> None:
    state = secret
    for i in range(len(words)):
        state += _GOLDEN
        words[i] = fmix64(state)


@njit
def _sum_answers(
    memory: Memory, shape: Shape, words: NDArray[np.uint64], answers: NDArray[np.uint64]
) -> None:
    for base in range(0, len(memory.u8), shape.size):
        first = base // 8 + tfm.HASH_KEY
        for i in range(len(answers)):
            at = i * len(shape.key)
            h1, h2 = hash_words(shape.hash, words, at, len(shape.key), memory.u64, first)
            answers[i] += np.uint64(light_find(memory, base, shape, h1, h2).estimate)


def phantom_keys(words: int, count: int, secret: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return keys that were never inserted, uint64 (count, words), by an epoch's secret (33,)."""
    keys = np.empty((count, words), np.uint64)
    # The last word of the secret alone: murmur3 and jhash use the first, so nothing is shared.
    _draw(keys.reshape(-1), secret[HASH_WORDS - 1])
    return keys


def phantom_answers(
    tfms: NDArray[np.uint8], geometry: Geometry, family: Hash, count: int
) -> NDArray[np.uint64]:
    """Return what light parts, uint8 (instances, value_size), answer to phantom keys: (count,).

    The answers of the instances are added up, as those of a real key are.
    """
    memory = tfm.views(tfms)
    secret = memory.u64[tfm.HASH_KEY : tfm.HASH_KEY + HASH_WORDS]
    words = phantom_keys(geometry.key.words, count, secret).reshape(-1)
    answers = np.zeros(count, np.uint64)
    _sum_answers(memory, tfm.shape_of(geometry, family), words, answers)
    return answers


def mean_error(tfms: NDArray[np.uint8], geometry: Geometry, family: Hash) -> float:
    """Return the mean error of a key without a heavy slot, in packets; cheap enough for a tick."""
    count = max(LEAST_PHANTOMS, PHANTOMS // len(tfms))
    return float(phantom_answers(tfms, geometry, family, count).mean())


def textbook_bound(packets: int, width: int) -> float:
    """Return count-min's bound on the error of a key, e / w * N, in packets.

    It holds with probability 1 - e^-rows (Cormode and Muthukrishnan, 2005). Tens of times the mean
    error: shown, never steered by.
    """
    return float(np.e) / width * packets
