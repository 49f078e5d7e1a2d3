"""Kernel memory of the maps, by the kernel's own way of allocating them."""

from __future__ import annotations

import os

from simulator.geometry import Geometry
from simulator.layout import BASELINE_RECORD, EXACT_RECORD, Key

_ELEMENT = 48  # struct htab_elem before its key (kernel/bpf/hashtab.c)
_BUCKET = 16  # struct bucket


def hash_bytes(entries: int, key_size: int, value_size: int, cpus: int | None = None) -> int:
    """Return the memory of a preallocated BPF_MAP_TYPE_HASH of `entries` entries, in bytes.

    One spare element per possible CPU serves updates of a full map (kernel/bpf/hashtab.c,
    prealloc_init); buckets are a power of two. Checked against `memlock` by a test.
    """
    spare = cpus if cpus is not None else os.cpu_count() or 1
    buckets = 1 << max(0, entries - 1).bit_length()
    element = _ELEMENT + _round8(key_size) + _round8(value_size)
    return buckets * _BUCKET + element * (entries + spare)


def percpu_hash_bytes(entries: int, key_size: int, value_size: int, cpus: int | None = None) -> int:
    """Return the memory of a preallocated BPF_MAP_TYPE_PERCPU_HASH, in bytes.

    An element holds a pointer where a plain map has its value; every CPU has a value of its own
    for every entry. There are no spare elements (kernel/bpf/hashtab.c, htab_map_alloc and
    htab_map_mem_usage).
    """
    count = cpus if cpus is not None else os.cpu_count() or 1
    buckets = 1 << max(0, entries - 1).bit_length()
    element = _ELEMENT + _round8(key_size) + 8
    return buckets * _BUCKET + entries * (element + count * _round8(value_size))


def exact_bytes(entries: int, key: Key) -> int:
    """Return the memory of the two exact tables."""
    return 2 * hash_bytes(entries, key.dtype.itemsize, EXACT_RECORD.itemsize)


def baseline_bytes(keys: int, key: Key) -> int:
    """Return the memory of a baseline hash map with room for just `keys` keys."""
    return hash_bytes(max(1, keys), key.dtype.itemsize, BASELINE_RECORD.itemsize)


def memory_record(geometry: Geometry, exact_entries: int, keys: int) -> dict[str, float]:
    """Return the `memory` object of replay's and demo's JSON, in bytes and ratios.

    `ratio` compares all of Low Detail with the baseline; `total_ratio` counts the exact tables,
    which stay allocated during Low Detail, as well.
    """
    exact = exact_bytes(exact_entries, geometry.key)
    baseline = baseline_bytes(keys, geometry.key)
    return {
        "exact_bytes": exact,
        "tfm_bytes": geometry.tfm_bytes,
        "control_bytes": geometry.control_bytes,
        "low_detail_total_bytes": geometry.low_detail_bytes,
        "total_bytes": exact + geometry.low_detail_bytes,
        "baseline_hash_bytes": baseline,
        "ratio": geometry.low_detail_bytes / baseline,
        "total_ratio": (exact + geometry.low_detail_bytes) / baseline,
    }


def _round8(size: int) -> int:
    return -(-size // 8) * 8
