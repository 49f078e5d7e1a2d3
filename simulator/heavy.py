"""Read the heavy part of a TFM: the keys that can be recovered from the structure alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.geometry import Geometry
from simulator.layout import HEADER


class HeavyPart(NamedTuple):
    """The occupied slots of one TFM."""

    keys: NDArray[np.uint64]  # (n, w)
    packets: NDArray[np.uint32]  # (n,)
    bytes: NDArray[np.uint64]  # (n,)
    light: NDArray[np.uint16]  # (n,) packets of the key in the light part: at most so many


def heavy_part(tfm: NDArray[np.uint8], geometry: Geometry) -> HeavyPart:
    """Decode the heavy part of one TFM, uint8 (value_size,)."""
    raw = tfm[HEADER.itemsize : geometry.light_offset].copy()
    buckets = raw.view(geometry.key.bucket)
    packets = buckets["packets"]
    held = packets != 0
    keys = np.ascontiguousarray(buckets["keys"]).view(np.uint64)
    return HeavyPart(
        keys.reshape(-1, geometry.key.words)[held.ravel()],
        packets[held],
        buckets["bytes"][held],
        buckets["light"][held],
    )
