"""How the compiled loops see the memory of TFMs: one flat array in words of four sizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.geometry import Geometry
from simulator.layout import HEADER, HEADER_FIELDS

# Places of the header's fields, in 64-bit words.
(
    EPOCH,
    SEEN,
    SEEN_BYTES,
    EXACT,
    EXACT_BYTES,
    SKETCHED,
    SKETCHED_BYTES,
    NOT_IP,
    MALFORMED,
    OTHER_BYTES,
    LIGHT_PACKETS,
    LIGHT_BYTES,
    NEW_KEYS,
    SATURATED,
    EVICTIONS,
) = range(len(HEADER_FIELDS))
HASH_KEY = len(HEADER_FIELDS)
HEADER_SIZE = HEADER.itemsize


class Shape(NamedTuple):
    """A geometry and a hash family in the form that the compiled loops take."""

    key: tuple[int, ...]  # one 0 per 64-bit word of a key: its length is a constant to the compiler
    buckets: int
    groups: int
    rows: int
    width: int
    hash: int
    bucket_words: int  # 64-bit words of a heavy bucket
    light_offset: int  # bytes
    rows_offset: int  # bytes
    size: int  # bytes of one TFM


class Memory(NamedTuple):
    """All TFMs of a run, one after another, as flat arrays of 64-, 32-, 16- and 8-bit words."""

    u64: NDArray[np.uint64]
    u32: NDArray[np.uint32]
    u16: NDArray[np.uint16]
    u8: NDArray[np.uint8]


def shape_of(geometry: Geometry, family: int) -> Shape:
    """Return what the loops need to know of a geometry."""
    return Shape(
        key=(0,) * geometry.key.words,
        buckets=geometry.buckets,
        groups=geometry.groups,
        rows=geometry.rows,
        width=geometry.width,
        hash=int(family),
        bucket_words=geometry.key.bucket.itemsize // 8,
        light_offset=geometry.light_offset,
        rows_offset=geometry.rows_offset,
        size=geometry.value_size,
    )


def views(tfms: NDArray[np.uint8]) -> Memory:
    """See contiguous uint8 (tfms, value_size) as words; nothing is copied."""
    flat = tfms.reshape(-1)
    return Memory(flat.view(np.uint64), flat.view(np.uint32), flat.view(np.uint16), flat)
