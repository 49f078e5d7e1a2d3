"""Random numbers inside compiled loops: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import fmix64
from simulator.jit import njit, signed

_STEP = np.uint64(0x9E3779B97F4A7C15)
_11 = np.uint64(11)
_UNIT = 1 / 2**53


@njit
def draw(state: NDArray[np.uint64]) -> np.uint64:
    """Return the next 64 random bits; state[0] is the generator's whole state."""
    state[0] += _STEP
    return fmix64(state[0])


@njit
def draw_unit(state: NDArray[np.uint64]) -> float:
    """Return the next random number in (0, 1)."""
    return (float(signed(draw(state) >> _11)) + 0.5) * _UNIT


@njit
def draw_one_in(state: NDArray[np.uint64], count: int) -> bool:
    """Return True with probability 1 / count."""
    return bool(draw(state) % np.uint64(count) == np.uint64(0))


@njit
def draw_gap(state: NDArray[np.uint64], probability: float) -> int:
    """Return how many trials fail before one of `probability` succeeds (geometric)."""
    if probability >= 1:
        return 0
    return signed(np.int64(math.log(draw_unit(state)) / math.log1p(-probability)))
