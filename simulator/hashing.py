"""The twin of bpf/include/hash.h: three hash families over keys of whole 64-bit words.

MurmurHash3 x64 128 (Appleby, smhasher), Jenkins lookup3 (hashlittle2), and pair-multiply-shift
(Dietzfelbinger 1996; Thorup, "High Speed Hashing for Integers and Strings", section 3.5).
Compiled functions take one array and a place in it, as C takes a pointer: the `count` words of a
key begin at words[at], and an epoch's secret (33 words) at keys[first]. Slices would cost more than
the hash (reference counting).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit, signed
from simulator.layout import HASH_WORDS, Hash

_U32 = np.uint64(0xFFFFFFFF)
_C1 = np.uint64(0x87C37B91114253D5)
_C2 = np.uint64(0x4CF5AD432745937F)
_FMIX1 = np.uint64(0xFF51AFD7ED558CCD)
_FMIX2 = np.uint64(0xC4CEB9FE1A85EC53)
_JHASH = int(Hash.JHASH)
_PMS = int(Hash.PMS)
_5 = np.uint64(5)
_32 = np.uint64(32)
_33 = np.uint64(33)
_64 = np.uint64(64)


@njit
def rotl64(value: np.uint64, by: int) -> np.uint64:
    """Rotate 64 bits left."""
    return (value << np.uint64(by)) | (value >> np.uint64(64 - by))


@njit
def rotl32(value: np.uint32, by: int) -> np.uint32:
    """Rotate 32 bits left."""
    return np.uint32(np.uint32(value << np.uint32(by)) | (value >> np.uint32(32 - by)))


@njit
def fmix64(value: np.uint64) -> np.uint64:
    """Apply MurmurHash3's 64-bit finaliser."""
    value ^= value >> _33
    value *= _FMIX1
    value ^= value >> _33
    value *= _FMIX2
    return value ^ (value >> _33)


@njit
def mix_words(words: NDArray[np.uint64], at: int, count: int) -> np.uint64:
    """Return a quick hash of a key, for tables of our own; the data path never uses it."""
    mixed = np.uint64(0)
    for i in range(count):
        mixed = fmix64(mixed ^ words[at + i])
    return mixed


@njit
def hash_murmur3(
    words: NDArray[np.uint64], at: int, count: int, seed: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return MurmurHash3 x64 128 of a key; only 32 bits of the seed count."""
    h1 = seed & _U32
    h2 = h1
    for i in range(0, count - 1, 2):
        h1 ^= rotl64(words[at + i] * _C1, 31) * _C2
        h1 = (rotl64(h1, 27) + h2) * _5 + np.uint64(0x52DCE729)
        h2 ^= rotl64(words[at + i + 1] * _C2, 33) * _C1
        h2 = (rotl64(h2, 31) + h1) * _5 + np.uint64(0x38495AB5)
    if count & 1:
        h1 ^= rotl64(words[at + count - 1] * _C1, 31) * _C2
    length = np.uint64(count * 8)
    h1 ^= length
    h2 ^= length
    h1 += h2
    h2 += h1
    h1 = fmix64(h1)
    h2 = fmix64(h2)
    h1 += h2
    h2 += h1
    return h1, h2


@njit
def _lookup3_mix(
    a: np.uint32, b: np.uint32, c: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32]:
    a = np.uint32(np.uint32(a - c) ^ rotl32(c, 4))
    c = np.uint32(c + b)
    b = np.uint32(np.uint32(b - a) ^ rotl32(a, 6))
    a = np.uint32(a + c)
    c = np.uint32(np.uint32(c - b) ^ rotl32(b, 8))
    b = np.uint32(b + a)
    a = np.uint32(np.uint32(a - c) ^ rotl32(c, 16))
    c = np.uint32(c + b)
    b = np.uint32(np.uint32(b - a) ^ rotl32(a, 19))
    a = np.uint32(a + c)
    c = np.uint32(np.uint32(c - b) ^ rotl32(b, 4))
    b = np.uint32(b + a)
    return a, b, c


@njit
def _lookup3_final(
    a: np.uint32, b: np.uint32, c: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32]:
    c = np.uint32(np.uint32(c ^ b) - rotl32(b, 14))
    a = np.uint32(np.uint32(a ^ c) - rotl32(c, 11))
    b = np.uint32(np.uint32(b ^ a) - rotl32(a, 25))
    c = np.uint32(np.uint32(c ^ b) - rotl32(b, 16))
    a = np.uint32(np.uint32(a ^ c) - rotl32(c, 4))
    b = np.uint32(np.uint32(b ^ a) - rotl32(a, 14))
    c = np.uint32(np.uint32(c ^ b) - rotl32(b, 24))
    return a, b, c


@njit
def _half(words: NDArray[np.uint64], at: int, index: int) -> np.uint32:
    return np.uint32(words[at + index // 2] >> np.uint64(index % 2 * 32))


@njit
def hash_jhash(
    words: NDArray[np.uint64], at: int, count: int, seed: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return lookup3's hashlittle2 of a key (c below b), and the same mixed again."""
    left, half = count * 2, 0
    a = np.uint32(np.uint32(0xDEADBEEF) + np.uint32(count * 8) + np.uint32(seed))
    b = a
    c = np.uint32(a + np.uint32(seed >> _32))
    while left > 3:
        a = np.uint32(a + _half(words, at, half))
        b = np.uint32(b + _half(words, at, half + 1))
        c = np.uint32(c + _half(words, at, half + 2))
        a, b, c = _lookup3_mix(a, b, c)
        left -= 3
        half += 3
    a = np.uint32(a + _half(words, at, half))
    if left > 1:
        b = np.uint32(b + _half(words, at, half + 1))
    if left > 2:
        c = np.uint32(c + _half(words, at, half + 2))
    a, b, c = _lookup3_final(a, b, c)
    h1 = (np.uint64(b) << _32) | np.uint64(c)
    return h1, fmix64(h1)


@njit
def pair_multiply_shift(
    words: NDArray[np.uint64], at: int, count: int, keys: NDArray[np.uint64], first: int
) -> np.uint64:
    """Return the strongly universal 32-bit hash with the 2 count + 1 keys from `first` on."""
    total: np.uint64 = keys[first + 2 * count]
    for i in range(count):
        word = words[at + i]
        high = keys[first + 2 * i] + (word >> _32)
        total += np.uint64(high * (keys[first + 2 * i + 1] + (word & _U32)))
    return total >> _32


@njit
def hash_pms(
    words: NDArray[np.uint64], at: int, count: int, keys: NDArray[np.uint64], first: int
) -> tuple[np.uint64, np.uint64]:
    """Return three pair-multiply-shift hashes: h1 holds two, h2 one."""
    apart = 2 * count + 1
    low = pair_multiply_shift(words, at, count, keys, first)
    high = pair_multiply_shift(words, at, count, keys, first + apart)
    h2 = pair_multiply_shift(words, at, count, keys, first + 2 * apart)
    return (high << _32) | low, h2


@njit
def hash_words(
    family: int,
    words: NDArray[np.uint64],
    at: int,
    count: int,
    keys: NDArray[np.uint64],
    first: int,
) -> tuple[np.uint64, np.uint64]:
    """Hash one key by the family (enum Hash) with an epoch's secret."""
    if family == _JHASH:
        return hash_jhash(words, at, count, keys[first])
    if family == _PMS:
        return hash_pms(words, at, count, keys, first)
    return hash_murmur3(words, at, count, keys[first])


@njit
def reduce(random: np.uint64, size: int) -> int:
    """Map the low 32 bits of `random` to [0, size) (Lemire 2019)."""
    return signed(((random & _U32) * np.uint64(size)) >> _32)


@njit
def row_bits(h1: np.uint64, row: int) -> np.uint64:
    """Return the random bits of a light row (Kirsch and Mitzenmacher 2008, odd step)."""
    return ((h1 & _U32) + np.uint64(row) * ((h1 >> _32) | np.uint64(1))) & _U32


@njit
def _hash_all(
    family: int,
    words: NDArray[np.uint64],
    count: int,
    secret: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    for i in range(len(out)):
        out[i, 0], out[i, 1] = hash_words(family, words, i * count, count, secret, 0)


def hash_many(
    family: Hash, keys: NDArray[np.uint64], secret: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Hash keys, uint64 (n, w), to uint64 (n, 2): h1 and h2."""
    out = np.empty((len(keys), 2), np.uint64)
    _hash_all(int(family), np.ascontiguousarray(keys).ravel(), keys.shape[1], secret, out)
    return out


def epoch_secret(run_seed: int, epoch: int) -> NDArray[np.uint64]:
    """Return the hash keys of an epoch, uint64 (33,): BLAKE2b as a PRF of the run's seed.

    Who does not know `run_seed` can predict no epoch's secret, not even from all others.
    """
    words = bytearray()
    run_key = run_seed.to_bytes(16, "little", signed=False)
    for block in range(-(-HASH_WORDS * 8 // 64)):
        message = epoch.to_bytes(8, "little") + block.to_bytes(8, "little")
        words += hashlib.blake2b(message, key=run_key, person=b"glimpse-epoch").digest()
    return np.frombuffer(bytes(words[: HASH_WORDS * 8]), "<u8").astype(np.uint64)
