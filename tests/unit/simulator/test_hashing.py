"""Known answers of the three hash families, each against an oracle that shares no code with it."""

from __future__ import annotations

import mmh3
import numpy as np
import pytest

from simulator.hashing import epoch_secret, hash_many, reduce, row_bits
from simulator.layout import FLOW, HASH_WORDS, SRC, Hash, Key

MASK64 = 2**64 - 1
MASK32 = 2**32 - 1


def keys_of(key: Key, count: int = 500) -> np.ndarray:
    """Return random keys and a few regular ones, uint64 (n, w)."""
    rng = np.random.default_rng(key.words)
    keys = rng.integers(0, MASK64, (count, key.words), np.uint64, endpoint=True)
    keys[0] = 0
    keys[1] = MASK64
    keys[2] = np.arange(key.words)
    return keys


@pytest.fixture(params=[SRC, FLOW], ids=["src", "flow"])
def keys(request: pytest.FixtureRequest) -> np.ndarray:
    return keys_of(request.param)


@pytest.fixture
def secret() -> np.ndarray:
    return epoch_secret(0x1234, 7)


def fmix64(value: int) -> int:
    """MurmurHash3's finaliser in Python's integers."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor & MASK64
    return value ^ value >> 33


def test_murmur3_equals_mmh3(keys: np.ndarray, secret: np.ndarray) -> None:
    got = hash_many(Hash.MURMUR3, keys, secret)
    seed = int(secret[0]) & MASK32
    want = [mmh3.hash64(key.tobytes(), seed, x64arch=True, signed=False) for key in keys]
    assert got.tolist() == [list(pair) for pair in want]


class Lookup3:
    """lookup3's hashlittle2 on bytes, written from its description with Python's integers."""

    def __init__(self, data: bytes, pc: int, pb: int) -> None:
        self.a = self.b = self.c = (0xDEADBEEF + len(data) + pc) & MASK32
        self.c = (self.c + pb) & MASK32
        while len(data) > 12:
            self.take(data[:12])
            for x, y, z, by in zip("abcabc", "cabcab", "bcabca", (4, 6, 8, 16, 19, 4), strict=True):
                self.mix(x, y, z, by)
            data = data[12:]
        if data:
            self.take(data.ljust(12, b"\0"))
            for x, y, by in zip("cabcabc", "bcabcab", (14, 11, 25, 16, 4, 14, 24), strict=True):
                value = (getattr(self, x) ^ getattr(self, y)) - rot(getattr(self, y), by)
                setattr(self, x, value & MASK32)

    def take(self, block: bytes) -> None:
        for name, at in (("a", 0), ("b", 4), ("c", 8)):
            part = int.from_bytes(block[at : at + 4], "little")
            setattr(self, name, (getattr(self, name) + part) & MASK32)

    def mix(self, x: str, y: str, z: str, by: int) -> None:
        value = ((getattr(self, x) - getattr(self, y)) & MASK32) ^ rot(getattr(self, y), by)
        setattr(self, x, value)
        setattr(self, y, (getattr(self, y) + getattr(self, z)) & MASK32)


def rot(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & MASK32


@pytest.mark.parametrize(
    ("data", "pc", "pb", "c", "b"),
    [  # the known answers printed by lookup3.c's own driver5()
        (b"", 0, 0, 0xDEADBEEF, 0xDEADBEEF),
        (b"", 0, 0xDEADBEEF, 0xBD5B7DDE, 0xDEADBEEF),
        (b"", 0xDEADBEEF, 0xDEADBEEF, 0x9C093CCD, 0xBD5B7DDE),
        (b"Four score and seven years ago", 0, 0, 0x17770551, 0xCE7226E6),
        (b"Four score and seven years ago", 0, 1, 0xE3607CAE, 0xBD371DE4),
        (b"Four score and seven years ago", 1, 0, 0xCD628161, 0x6CBEA4B3),
    ],
)
def test_oracle_of_lookup3_gives_the_published_answers(
    data: bytes, pc: int, pb: int, c: int, b: int
) -> None:
    oracle = Lookup3(data, pc, pb)
    assert (oracle.c, oracle.b) == (c, b)


def test_jhash_equals_lookup3(keys: np.ndarray, secret: np.ndarray) -> None:
    got = hash_many(Hash.JHASH, keys, secret)
    pc, pb = int(secret[0]) & MASK32, int(secret[0]) >> 32
    for key, (h1, h2) in zip(keys, got.tolist(), strict=True):
        oracle = Lookup3(key.tobytes(), pc, pb)
        assert h1 == oracle.b << 32 | oracle.c
        assert h2 == fmix64(h1)


def test_pms_equals_the_formula(keys: np.ndarray, secret: np.ndarray) -> None:
    def formula(x: list[int], a: list[int]) -> int:
        pairs = range(0, len(x), 2)
        total = sum((a[i] + x[i + 1]) * (a[i + 1] + x[i]) for i in pairs) + a[len(x)]
        return (total & MASK64) >> 32

    got = hash_many(Hash.PMS, keys, secret)
    a = [int(word) for word in secret]
    for key, (h1, h2) in zip(keys, got.tolist(), strict=True):
        x = np.frombuffer(key.tobytes(), "<u4").tolist()
        apart = len(x) + 1
        assert h1 & MASK32 == formula(x, a)
        assert h1 >> 32 == formula(x, a[apart:])
        assert h2 == formula(x, a[2 * apart :])


@pytest.mark.parametrize("family", list(Hash))
def test_hash_depends_on_the_secret(family: Hash, keys: np.ndarray) -> None:
    one = hash_many(family, keys, epoch_secret(1, 0))
    other = hash_many(family, keys, epoch_secret(1, 1))
    assert (one != other).all(axis=1).mean() > 0.99


def test_epoch_secret_is_reproducible_and_whole() -> None:
    assert epoch_secret(5, 9).shape == (HASH_WORDS,)
    assert (epoch_secret(5, 9) == epoch_secret(5, 9)).all()
    seen = {tuple(epoch_secret(seed, epoch)) for seed in range(8) for epoch in range(8)}
    assert len(seen) == 64


def test_reduce_covers_any_size_evenly() -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**32, 30_000, np.uint64)
    places = [reduce(b, 1000) for b in bits]
    counts = np.bincount(places, minlength=1000)
    assert len(counts) == 1000
    # chi-square with 999 degrees of freedom: mean 999, standard deviation 45
    assert ((counts - 30) ** 2 / 30).sum() < 999 + 6 * 45


def test_row_bits_wraps_at_32_bits() -> None:
    h1 = np.uint64(0xFFFFFFFE_FFFFFFFF)
    assert row_bits(h1, 1) == (0xFFFFFFFF + 0xFFFFFFFF) & MASK32
