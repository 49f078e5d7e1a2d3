"""The traffic that the published numbers are measured on, with its truth."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.layout import KEYS
from simulator.metrics import truth
from simulator.traffic import generate


class Window(NamedTuple):
    """Packets, and the true count of each distinct key."""

    packets: NDArray[np.uint64]  # (n, words)
    keys: NDArray[np.uint64]  # (m, words)
    true: NDArray[np.float64]  # (m,)


def of_packets(packets: NDArray[np.uint64]) -> Window:
    """Return packets with their truth."""
    keys, true, _ = truth(packets)
    return Window(packets, keys, true.astype(np.float64))


@lru_cache(maxsize=2)
def backbone(seed: int, key: str = "src") -> Window:
    """Return 2.5 M packets, about 115 k keys: 5 s of a backbone."""
    return of_packets(generate("caida-2016", 2_500_000, seed, key=KEYS[key]).keys)


def addresses(window: Window) -> Window:
    """Return a window of IPv4 sources with one word for a key, as the papers' are 4 bytes."""
    return Window(
        np.ascontiguousarray(window.packets[:, 1:]),
        np.ascontiguousarray(window.keys[:, 1:]),
        window.true,
    )
