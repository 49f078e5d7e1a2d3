"""The size and shape of a TFM, and how a memory budget becomes one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.layout import CONTROL, HEADER, LAMBDA, MAX_ROWS, Key

EPOCH_BUFFERS = 2
MAX_TFM = 1 << 30  # bytes; one map value, and its offsets, must stay far below 2^31
CACHE_LINE = 64  # values of neighbouring instances share no cache line
# Share of a TFM's counters given to the heavy part, and light rows: the choice is measured in
# docs/decisions/0004-tfm-geometry.md.
HEAVY_SHARE = 0.15
ROWS = 4


@dataclass(frozen=True)
class Geometry:
    """The shape of every TFM of a run: one per (epoch buffer, instance)."""

    key: Key
    instances: int
    buckets: int
    rows: int
    width: int
    lambda_: int = LAMBDA

    def __post_init__(self) -> None:
        """Refuse shapes that the data path cannot have."""
        if not 1 <= self.rows <= MAX_ROWS:
            raise ValueError(f"rows must be 1 to {MAX_ROWS}, not {self.rows}")
        if min(self.instances, self.buckets, self.width, self.lambda_) < 1:
            raise ValueError("instances, buckets, width and lambda must be at least 1")

    @property
    def light_offset(self) -> int:
        """Return where the light part starts in a TFM, in bytes."""
        return HEADER.itemsize + self.buckets * self.key.bucket.itemsize

    @property
    def value_size(self) -> int:
        """Return the size of one TFM in bytes, a multiple of a cache line."""
        size = self.light_offset + self.rows * self.width
        return -(-size // CACHE_LINE) * CACHE_LINE

    @property
    def tfms(self) -> int:
        """Return how many TFMs there are: buffers times instances."""
        return EPOCH_BUFFERS * self.instances

    @property
    def tfm_bytes(self) -> int:
        """Return the size of all TFMs in bytes."""
        return self.tfms * self.value_size

    @property
    def control_bytes(self) -> int:
        """Return the size of the control fields in bytes."""
        return CONTROL.itemsize

    @property
    def low_detail_bytes(self) -> int:
        """Return everything that Low Detail allocates, in bytes."""
        return self.tfm_bytes + self.control_bytes

    def empty(self) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        """Return zeroed TFMs: uint8 (tfms, value_size)."""
        return np.zeros((self.tfms, self.value_size), np.uint8)


def smallest_memory(key: Key, instances: int) -> int:
    """Return the least budget, in bytes, that holds one bucket and a row of 64 counters each."""
    return Geometry(key, instances, 1, ROWS, CACHE_LINE).low_detail_bytes


def for_memory(
    memory: int, key: Key, instances: int, *, heavy_share: float = HEAVY_SHARE, rows: int = ROWS
) -> Geometry:
    """Return the largest geometry whose whole Low Detail fits in `memory` bytes.

    Raises ValueError, naming the least budget, where nothing fits.
    """
    least = smallest_memory(key, instances)
    if memory < least:
        raise ValueError(
            f"{memory} bytes hold no TFM for {instances} instance(s) of key {key.name}: "
            f"at least {least} bytes are needed"
        )
    one = (memory - CONTROL.itemsize) // (EPOCH_BUFFERS * instances) // CACHE_LINE * CACHE_LINE
    if one > MAX_TFM:
        raise ValueError(f"{memory} bytes make TFMs of {one} bytes; at most {MAX_TFM} are possible")
    counters = one - HEADER.itemsize
    buckets = max(1, int(counters * heavy_share) // key.bucket.itemsize)
    width = (counters - buckets * key.bucket.itemsize) // rows
    return Geometry(key, instances, buckets, rows, width)
