"""Medians with bootstrap intervals (Efron, 1979), and ratios of what ran in the same repeat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 10_000


class Interval(NamedTuple):
    """A median and its percentile-bootstrap interval."""

    median: float
    low: float
    high: float


def median_interval(samples: NDArray[np.float64], rng: Generator) -> Interval:
    """Return the median of independent repeats, (n,), with its 95 % interval."""
    if len(samples) == 0:
        raise ValueError("no repeats, no median")
    drawn = samples[rng.integers(0, len(samples), (RESAMPLES, len(samples)))]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.median(drawn, axis=1), [tail, 1 - tail])
    return Interval(float(np.median(samples)), float(low), float(high))


def ratio_interval(
    samples: NDArray[np.float64], reference: NDArray[np.float64], rng: Generator
) -> Interval:
    """Return the median of the ratios repeat by repeat, so that what slowed both cancels out."""
    if samples.shape != reference.shape:
        raise ValueError(f"{len(samples)} repeats cannot be paired with {len(reference)}")
    return median_interval(samples / reference, rng)
