"""Spread packets over instances by flow hash, as a network card's RSS spreads them over CPUs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import hash_many
from simulator.layout import HASH_WORDS, Hash, Outcome
from simulator.parsing import Parsed

_SECRET = np.zeros(HASH_WORDS, np.uint64)  # murmur3 with seed 0: not the sketch's own hash


def instances(parsed: Parsed, count: int) -> NDArray[np.uint64]:
    """Return instance + 1 of each packet, (n,); all frames without a flow go to the first."""
    if count == 1:
        return np.ones(len(parsed.outcomes), np.uint64)
    spread = hash_many(Hash.MURMUR3, parsed.flows, _SECRET)[:, 0] % np.uint64(count)
    return np.where(parsed.outcomes == Outcome.IP, spread, 0).astype(np.uint64) + np.uint64(1)
