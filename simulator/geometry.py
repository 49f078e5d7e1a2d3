"""The size and shape of a TFM, and how a memory budget becomes one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.layout import CONTROL, HEADER, MAX_ROWS, SLOTS, Key

EPOCH_BUFFERS = 2
MAX_TFM = 1 << 30  # bytes; one map value, and its offsets, must stay far below 2^31
CACHE_LINE = 64  # values of neighbouring instances share no cache line
GROUP = 8  # bytes of a group of cells
# How a budget is divided; measured in docs/decisions/0023-cells-in-the-light-part.md. Heavy hitters
# are a share of the packets, so their number does not grow with the keys, nor their slots at first.
HEAVY_SLOTS = 1536  # over all instances: each holds the heavy hitters of its own keys
HEAVY_LEAST, HEAVY_MOST = 0.08, 0.53  # of a TFM without its header
ROWS_SHARE = 0.2  # of the light part
ROWS = 3


@dataclass(frozen=True)
class Geometry:
    """The shape of every TFM of a run: one per (epoch buffer, instance)."""

    key: Key
    instances: int
    buckets: int
    rows: int
    width: int
    groups: int = 16  # of four cells each

    def __post_init__(self) -> None:
        """Refuse shapes that the data path cannot have."""
        if not 1 <= self.rows <= MAX_ROWS:
            raise ValueError(f"rows must be 1 to {MAX_ROWS}, not {self.rows}")
        if min(self.instances, self.buckets, self.width, self.groups) < 1:
            raise ValueError("instances, buckets, width and groups must be at least 1")

    @property
    def light_offset(self) -> int:
        """Return where the light part starts in a TFM, in bytes."""
        return HEADER.itemsize + self.buckets * self.key.bucket.itemsize

    @property
    def rows_offset(self) -> int:
        """Return where the rows of the light part start in a TFM, in bytes."""
        return self.light_offset + self.groups * GROUP

    @property
    def value_size(self) -> int:
        """Return the size of one TFM in bytes, a multiple of a cache line."""
        size = self.rows_offset + self.rows * self.width
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
    """Return the least budget, in bytes, that holds a bucket, 8 groups and rows of 64 counters."""
    return Geometry(key, instances, 1, ROWS, CACHE_LINE, 8).low_detail_bytes


def for_memory(
    memory: int,
    key: Key,
    instances: int,
    *,
    heavy_share: float | None = None,
    rows_share: float = ROWS_SHARE,
    rows: int = ROWS,
) -> Geometry:
    """Return the largest geometry whose whole Low Detail fits in `memory` bytes.

    `heavy_share` of a TFM and `rows_share` of the rest replace the measured division. Raises
    ValueError, naming the least budget, where nothing fits.
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
    bucket = key.bucket.itemsize
    if heavy_share is None:
        wanted = HEAVY_SLOTS / SLOTS / instances * bucket / counters
        heavy_share = min(max(wanted, HEAVY_LEAST), HEAVY_MOST)
    buckets = max(1, int(counters * heavy_share) // bucket)
    light = counters - buckets * bucket
    groups = max(1, int(light * (1 - rows_share)) // GROUP)
    width = max(1, (light - groups * GROUP) // rows)
    return Geometry(key, instances, buckets, rows, width, groups)
