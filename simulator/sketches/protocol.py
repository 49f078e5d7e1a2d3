"""What every sketch can do, and which laws it may declare."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]  # (n, words of a key)
Counts = NDArray[Any]  # (n,) packets, uint64 or float64, never below 0
Secret = NDArray[np.uint64]  # an epoch's hash keys, (33,)


class Law(StrEnum):
    """What holds for any packets; tests/property/test_sketch_laws.py tries each on its sketches."""

    LINEAR = "merge(a, b) equals feeding a's packets, then b's"
    ORDER_FREE = "the order of the packets does not matter"
    NEVER_UNDER = "an estimate is never below the truth, unless a counter is saturated"
    UNBIASED = "over the seeds, the mean of a key's estimates is the truth"
    CONSERVING = "the counts of all recoverable keys add up to the packets"
    DETERMINISTIC = "no random numbers: the seed chooses the hash functions, nothing else"


class Top(NamedTuple):
    """Keys that a sketch recovers by itself, largest first."""

    keys: Keys  # (n, words), distinct
    counts: Counts  # (n,)


class Sketch(Protocol):
    """A summary of packets per key, of a fixed size."""

    laws: ClassVar[frozenset[Law]]

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return the largest empty sketch of at most `memory` bytes for keys of `key_words` words.

        Raises ValueError, naming the least budget, where nothing fits.
        """
        ...

    @property
    def memory(self) -> int:
        """Return all bytes that grow with the budget: counters, keys, pointers, flags."""
        ...

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        ...

    def estimate(self, keys: Keys) -> Counts:
        """Return the packets of each of `keys`, (n,)."""
        ...

    def top(self, count: int) -> Top | None:
        """Return the `count` largest keys that are stored, or None where no keys are."""
        ...

    def state(self) -> bytes:
        """Return all that the packets so far have left behind."""
        ...


class Mergeable(Protocol):
    """What a sketch that declares `Law.LINEAR` can do besides."""

    def merge(self, other: Self) -> None:
        """Add what `other`, of the same shape and seed, has counted."""
        ...
