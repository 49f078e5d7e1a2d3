"""Keys of an adversary: pairs that collide whatever the seed, and keys that aim at a victim.

MurmurHash3's seed-independent collisions: Aumasson and Bernstein, "SipHash: a fast short-input
PRF" (INDOCRYPT 2012), appendix. A difference enters through the first block and is taken out by
the second, with probability 1, because both multiplications map bit 63 to itself.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulator.hashing import hash_many, reduce, row_bits
from simulator.jit import njit
from simulator.layout import FLOW, Hash

_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
_MASK = (1 << 64) - 1
_C1_INVERSE, _C2_INVERSE = pow(_C1, -1, 1 << 64), pow(_C2, -1, 1 << 64)
# Bits that reach bit 63 of the state after its rotation by 27 or 31, and bit 63 itself.
_FIRST, _SECOND, _THIRD = 1 << 36, 1 << 32, 1 << 63


def _mixed_1(word: int) -> int:
    word = word * _C1 & _MASK
    return (word << 31 | word >> 33) * _C2 & _MASK


def _unmixed_1(word: int) -> int:
    word = word * _C2_INVERSE & _MASK
    return (word >> 31 | word << 33) * _C1_INVERSE & _MASK


def _mixed_2(word: int) -> int:
    word = word * _C2 & _MASK
    return (word << 33 | word >> 31) * _C1 & _MASK


def _unmixed_2(word: int) -> int:
    word = word * _C1_INVERSE & _MASK
    return (word >> 33 | word << 31) * _C2_INVERSE & _MASK


def murmur_partner(flow: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return another flow key, uint64 (5,), with the same MurmurHash3 under every seed.

    It has another source and another destination: both addresses must be free to choose, which
    takes IPv6 (an IPv4-mapped address has 32 free bits).
    """
    partner = flow.copy()
    partner[0] = _unmixed_1(_mixed_1(int(flow[0])) ^ _FIRST)
    partner[1] = _unmixed_2(_mixed_2(int(flow[1])) ^ _SECOND)
    partner[2] = _unmixed_1(_mixed_1(int(flow[2])) ^ _THIRD)
    return partner


def murmur_pairs(rng: Generator, pairs: int) -> NDArray[np.uint64]:
    """Return `pairs` pairs of colliding flow keys, uint64 (2 pairs, 5), partners side by side."""
    keys = np.empty((2 * pairs, FLOW.words), np.uint64)
    keys[::2] = random_flows(rng, pairs)
    for i in range(0, 2 * pairs, 2):
        keys[i + 1] = murmur_partner(keys[i])
    return keys


def random_flows(rng: Generator, count: int) -> NDArray[np.uint64]:
    """Return flow keys of random bytes, uint64 (count, 5), their padding zero."""
    keys = rng.integers(0, 1 << 64, (count, FLOW.words), dtype=np.uint64)
    keys[:, 4] &= np.uint64((1 << 40) - 1)
    return keys


@njit
def _aims(
    hashes: NDArray[np.uint64], victim: np.uint64, rows: int, width: int, chosen: NDArray[np.int64]
) -> None:
    for row in range(rows):
        target = reduce(row_bits(victim, row), width)
        for i in range(len(hashes)):
            if reduce(row_bits(hashes[i], row), width) == target:
                chosen[row] = i
                break


def aim_at(
    victim: NDArray[np.uint64],
    secret: NDArray[np.uint64],
    family: Hash,
    *,
    rows: int,
    width: int,
    candidates: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """Return one key for each row that shares the victim's counter there, for a known secret.

    About `width` candidates, uint64 (n, w), must be tried per row; raises ValueError if too few.
    """
    chosen = np.full(rows, -1, np.int64)
    aim = hash_many(family, victim[np.newaxis], secret)[0, 0]
    _aims(hash_many(family, candidates, secret)[:, 0], aim, rows, width, chosen)
    if (chosen < 0).any():
        raise ValueError(f"{len(candidates)} candidates do not reach every row of {width} counters")
    return candidates[chosen]
