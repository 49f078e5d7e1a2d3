"""The twin of bpf/include/sketch.h: the Traffic Feature Map, byte for byte.

Heavy part: buckets of full keys, which a key enters when the light part's estimate of it passes the
smallest count there (Roy et al., "Augmented Sketch", SIGMOD 2016); light part: simulator/light.py.
One TFM is a flat uint8 array, the value of the kernel's map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import hash_words, reduce
from simulator.jit import njit, signed
from simulator.layout import SLOTS
from simulator.light import Place, light_find, light_raise
from simulator.tfm_memory import (
    EPOCH,
    EVICTIONS,
    EXACT,
    EXACT_BYTES,
    HASH_KEY,
    HEADER_SIZE,
    LIGHT_BYTES,
    LIGHT_PACKETS,
    MALFORMED,
    NOT_IP,
    OTHER_BYTES,
    SEEN,
    SEEN_BYTES,
    SKETCHED,
    SKETCHED_BYTES,
    Memory,
    Shape,
    shape_of,
    views,
)
from simulator.words import copy_key, same_key

__all__ = [
    "EPOCH",
    "EXACT",
    "EXACT_BYTES",
    "HASH_KEY",
    "MALFORMED",
    "NOT_IP",
    "OTHER_BYTES",
    "SEEN",
    "SEEN_BYTES",
    "SKETCHED",
    "Memory",
    "Shape",
    "bucket_places",
    "heavy_estimate",
    "shape_of",
    "tfm_count",
    "views",
]

FLOOR = SLOTS + SLOTS // 2  # 32-bit words from a bucket's packets to its floor
_1 = np.uint64(1)


@njit
def bucket_places(base: int, shape: Shape, h2: np.uint64) -> tuple[int, int, int]:
    """Return where a bucket's keys and bytes (64-bit words) and packets (32-bit words) begin.

    Twice the place of the end of `packets` is where `light` begins, in 16-bit words.
    """
    keys = (base + HEADER_SIZE) // 8 + reduce(h2, shape.buckets) * shape.bucket_words
    sizes = keys + SLOTS * len(shape.key)
    return keys, sizes, 2 * (sizes + SLOTS)


@njit
def heavy_estimate(memory: Memory, counts: int, slot: int) -> int:
    """Return the upper bound of the key in a slot of the bucket whose packets are at `counts`."""
    return signed(memory.u32[counts + slot]) + signed(memory.u16[2 * (counts + SLOTS) + slot])


@njit
def _evict(
    memory: Memory,
    base: int,
    shape: Shape,
    places: tuple[int, int, int],
    victim: int,
) -> tuple[Place, int, int, np.uint64]:
    """Return what the key in slot `victim` takes to the light part: place, target, packets, bytes.

    The slot is the newcomer's to fill.
    """
    keys, sizes, counts = places
    secret = base // 8 + HASH_KEY
    loser = keys + victim * len(shape.key)
    h1, h2 = hash_words(shape.hash, memory.u64, loser, len(shape.key), memory.u64, secret)
    memory.u64[base // 8 + EVICTIONS] += _1
    return (
        light_find(memory, base, shape, h1, h2),
        heavy_estimate(memory, counts, victim),
        signed(memory.u32[counts + victim]),
        memory.u64[sizes + victim],
    )


@njit
def _heavy_count(
    memory: Memory,
    shape: Shape,
    places: tuple[int, int, int],
    words: NDArray[np.uint64],
    key: int,
    size: np.uint64,
) -> bool:
    """Count a packet in the heavy part; False if it found neither its key nor a free slot."""
    keys, sizes, counts = places
    for slot in range(SLOTS):
        packets = memory.u32[counts + slot]
        at = keys + slot * len(shape.key)
        if packets == 0:
            copy_key(memory.u64, at, words, key, len(shape.key))
        if packets == 0 or same_key(memory.u64, at, words, key, len(shape.key)):
            memory.u32[counts + slot] = packets + np.uint32(1)
            memory.u64[sizes + slot] += size
            return True
    return False


@njit
def _heavy_smallest(memory: Memory, counts: int) -> int:
    """Return the slot with the smallest upper bound, which is the bucket's new floor."""
    slot, smallest = 0, heavy_estimate(memory, counts, 0)
    for i in range(1, SLOTS):
        estimate = heavy_estimate(memory, counts, i)
        if estimate < smallest:
            slot, smallest = i, estimate
    memory.u32[counts + FLOOR] = smallest
    return slot


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
    u64[header + SKETCHED] += _1
    u64[header + SKETCHED_BYTES] += size
    if _heavy_count(memory, shape, places, words, key, size):
        return
    place = light_find(memory, base, shape, h1, h2)
    target, moved = place.estimate + 1, signed(1)
    if target > signed(u32[counts + FLOOR]):
        victim = _heavy_smallest(memory, counts)
        if target > heavy_estimate(memory, counts, victim):
            newcomer, mine = place.estimate, size
            place, target, moved, size = _evict(memory, base, shape, places, victim)
            copy_key(u64, keys + victim * len(shape.key), words, key, len(shape.key))
            u32[counts + victim] = 1
            u64[sizes + victim] = mine
            memory.u16[2 * (counts + SLOTS) + victim] = newcomer
    if target > place.estimate:
        light_raise(memory, base, shape, place, target)
    u64[header + LIGHT_PACKETS] += np.uint64(moved)
    u64[header + LIGHT_BYTES] += size
