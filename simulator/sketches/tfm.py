"""The twin of bpf/include/sketch.h: the Traffic Feature Map, byte for byte.

Heavy part: Elastic Sketch (Yang et al., SIGCOMM 2018); light part: count-min rows with
conservative update (Estan and Varghese, SIGCOMM 2002). One TFM is a flat uint8 array, the value
of the kernel's map; the loops see it as 64-bit, 32-bit and 8-bit words of the same memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.geometry import Geometry
from simulator.hashing import hash_words, reduce, row_bits
from simulator.jit import njit, signed
from simulator.layout import COUNTER_MAX, HEADER, HEADER_FIELDS, SLOTS
from simulator.words import copy_key, same_key

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
    rows: int
    width: int
    lambda_: int
    hash: int
    bucket_words: int  # 64-bit words of a heavy bucket
    light_offset: int  # bytes
    size: int  # bytes of one TFM


class Memory(NamedTuple):
    """All TFMs of a run, one after another, as flat arrays of 64-, 32- and 8-bit words."""

    u64: NDArray[np.uint64]
    u32: NDArray[np.uint32]
    u8: NDArray[np.uint8]


def shape_of(geometry: Geometry, family: int) -> Shape:
    """Return what the loops need to know of a geometry."""
    return Shape(
        key=(0,) * geometry.key.words,
        buckets=geometry.buckets,
        rows=geometry.rows,
        width=geometry.width,
        lambda_=geometry.lambda_,
        hash=int(family),
        bucket_words=geometry.key.bucket.itemsize // 8,
        light_offset=geometry.light_offset,
        size=geometry.value_size,
    )


def views(tfms: NDArray[np.uint8]) -> Memory:
    """See contiguous uint8 (tfms, value_size) as words; nothing is copied."""
    flat = tfms.reshape(-1)
    return Memory(flat.view(np.uint64), flat.view(np.uint32), flat)


@njit
def light_position(shape: Shape, h1: np.uint64, row: int) -> int:
    """Return where the counter of a key is in light row `row`, in bytes from the TFM's start."""
    return shape.light_offset + row * shape.width + reduce(row_bits(h1, row), shape.width)


@njit
def light_estimate(memory: Memory, base: int, shape: Shape, h1: np.uint64) -> int:
    """Return the smallest counter of a key: never below the truth, unless saturated.

    `base` is where the TFM starts in `memory`, in bytes.
    """
    smallest = signed(COUNTER_MAX)
    for row in range(shape.rows):
        counter = signed(memory.u8[base + light_position(shape, h1, row)])
        smallest = min(smallest, counter)
    return smallest


@njit
def light_add(
    memory: Memory, base: int, shape: Shape, h1: np.uint64, packets: int, size: np.uint64
) -> None:
    """Raise the counters that are below the new estimate of a key (conservative update)."""
    u64, word = memory.u64, base // 8
    before = light_estimate(memory, base, shape, h1)
    after = before + packets
    if before == 0:
        u64[word + NEW_KEYS] += np.uint64(1)
    if after > COUNTER_MAX:
        after = COUNTER_MAX
        u64[word + SATURATED] += np.uint64(1)
    for row in range(shape.rows):
        at = base + light_position(shape, h1, row)
        if memory.u8[at] < after:
            memory.u8[at] = after
    u64[word + LIGHT_PACKETS] += np.uint64(packets)
    u64[word + LIGHT_BYTES] += size


@njit
def bucket_places(base: int, shape: Shape, h2: np.uint64) -> tuple[int, int, int]:
    """Return where a bucket's keys and bytes (64-bit words) and packets (32-bit words) begin."""
    keys = (base + HEADER_SIZE) // 8 + reduce(h2, shape.buckets) * shape.bucket_words
    sizes = keys + SLOTS * len(shape.key)
    return keys, sizes, 2 * (sizes + SLOTS)


@njit
def _evict(
    memory: Memory,
    base: int,
    shape: Shape,
    places: tuple[int, int, int],
    victim: int,
    newcomer: np.uint64,
) -> tuple[np.uint64, int, np.uint64]:
    """Free slot `victim`; returns (h1, packets, bytes) that its key takes to the light part."""
    keys, sizes, counts = places
    votes, flags = counts + SLOTS, counts + SLOTS + 1
    loser = keys + victim * len(shape.key)
    secret = base // 8 + HASH_KEY
    h1, _ = hash_words(shape.hash, memory.u64, loser, len(shape.key), memory.u64, secret)
    bit = np.uint32(1) << np.uint32(victim)
    memory.u32[flags] &= ~bit
    # An estimate of 0 proves that the newcomer has nothing in the light part.
    if light_estimate(memory, base, shape, newcomer) > 0:
        memory.u32[flags] |= bit
    memory.u32[votes] = 0
    memory.u64[base // 8 + EVICTIONS] += np.uint64(1)
    return h1, signed(memory.u32[counts + victim]), memory.u64[sizes + victim]


@njit
def _heavy_count(
    memory: Memory,
    shape: Shape,
    places: tuple[int, int, int],
    words: NDArray[np.uint64],
    key: int,
    size: np.uint64,
) -> int:
    """Count a packet in the heavy part; returns -1, or the victim where it found no slot."""
    keys, sizes, counts = places
    victim, smallest = 0, np.uint32(0xFFFFFFFF)
    for slot in range(SLOTS):
        packets = memory.u32[counts + slot]
        at = keys + slot * len(shape.key)
        if packets == 0:
            copy_key(memory.u64, at, words, key, len(shape.key))
        if packets == 0 or same_key(memory.u64, at, words, key, len(shape.key)):
            memory.u32[counts + slot] = packets + np.uint32(1)
            memory.u64[sizes + slot] += size
            return -1
        if packets < smallest:
            victim, smallest = slot, packets
    return victim


@njit
def tfm_count(
    memory: Memory,
    base: int,
    shape: Shape,
    words: NDArray[np.uint64],
    key: int,
    size: np.uint64,
) -> None:
    """Count one packet of `size` bytes, its key at words[key], in the TFM at byte `base`."""
    u64, u32, header = memory.u64, memory.u32, base // 8
    h1, h2 = hash_words(shape.hash, words, key, len(shape.key), u64, header + HASH_KEY)
    places = bucket_places(base, shape, h2)
    keys, sizes, counts = places
    u64[header + SKETCHED] += np.uint64(1)
    u64[header + SKETCHED_BYTES] += size
    victim = _heavy_count(memory, shape, places, words, key, size)
    if victim < 0:
        return
    votes = u32[counts + SLOTS] + np.uint32(1)
    u32[counts + SLOTS] = votes
    moved = signed(1)
    if votes >= shape.lambda_ * u32[counts + victim]:
        mine = size
        h1, moved, size = _evict(memory, base, shape, places, victim, h1)
        copy_key(u64, keys + victim * len(shape.key), words, key, len(shape.key))
        u32[counts + victim] = 1
        u64[sizes + victim] = mine
    light_add(memory, base, shape, h1, moved, size)
