"""Measure several lanes in turn, again and again, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lab.bench.lane import Lane
from lab.output import Advance

Samples = dict[str, NDArray[np.float64]]


def interleave(
    lanes: Mapping[str, Lane], repeats: int, rng: Generator, advance: Advance
) -> Samples:
    """Return `repeats` measurements of each lane, in ns per packet, in a new order each time."""
    names = list(lanes)
    samples = {name: np.empty(repeats) for name in names}
    for repeat in range(repeats):
        for place in rng.permutation(len(names)):
            samples[names[place]][repeat] = lanes[names[place]].measure()
            advance()
    return samples
