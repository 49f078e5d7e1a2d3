"""Keys as runs of 64-bit words inside flat arrays: compare and copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit


@njit
def copy_key(to: NDArray[np.uint64], at: int, words: NDArray[np.uint64], key: int, n: int) -> None:
    """Copy a key of `n` words from words[key] to to[at]."""
    for i in range(n):
        to[at + i] = words[key + i]


@njit
def same_key(a: NDArray[np.uint64], at: int, words: NDArray[np.uint64], key: int, n: int) -> bool:
    """Tell whether two keys of `n` words are equal."""
    # From the end: mapped IPv4 addresses all begin with the same word.
    for i in range(n - 1, -1, -1):  # noqa: SIM110 - Numba would allocate a generator
        if a[at + i] != words[key + i]:
            return False
    return True
