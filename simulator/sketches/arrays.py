"""What sketches of plain NumPy arrays share: their accounts, and flat keys for compiled loops."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from simulator.sketches.protocol import Counts, Keys, Top


class ArraySketch(ABC):
    """A sketch whose whole state is a few arrays."""

    @property
    @abstractmethod
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return the arrays that hold the state."""

    @property
    def memory(self) -> int:
        """Return the size of the state in bytes."""
        return sum(array.nbytes for array in self.arrays)

    def state(self) -> bytes:
        """Return the bytes of the state."""
        return b"".join(array.tobytes() for array in self.arrays)

    def top(self, count: int) -> Top | None:
        """Return None: counters alone recover no keys."""
        return None


def flat(keys: Keys) -> Keys:
    """Return keys, (n, words), as the flat words that compiled loops read."""
    return np.ascontiguousarray(keys, np.uint64).reshape(-1)


def width_of(words: int) -> tuple[int, ...]:
    """Return one 0 per word of a key: the length of a tuple is a constant to the compiler."""
    return (0,) * words


def units(memory: int, size: int, what: str, *, besides: int = 0) -> int:
    """Return how many `what` of `size` bytes fit in `memory` bytes less `besides`, at least one."""
    fit = (memory - besides) // size
    if fit < 1:
        raise ValueError(
            f"{memory} bytes hold no {what}: at least {size + besides} bytes are needed"
        )
    return fit


def largest(keys: Keys, counts: Counts, count: int) -> Top:
    """Return the `count` largest of distinct keys; equal counts keep their order."""
    order = np.argsort(-counts.astype(np.int64), kind="stable")[:count]
    return Top(keys[order], counts[order])
