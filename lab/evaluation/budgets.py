"""The memory of what a sketch is compared with, for as many keys as a window has."""

from __future__ import annotations

from lab import memory
from simulator.layout import BASELINE_RECORD, KEYS

INSTANCES = 2  # CPUs of a deployment, unless a task says otherwise


def budget_of(reference: str, keys: int, key: str, cpus: int = INSTANCES) -> int:
    """Return the kernel memory of a reference map with room for just `keys` keys, in bytes.

    `hash`: BPF_MAP_TYPE_HASH. `percpu_hash`: a value per CPU, its bytes packed by the per-CPU
    allocator. `double_hash`: two hash maps, for a baseline that also has two epochs.
    """
    entries = max(1, keys)
    key_size, value_size = KEYS[key].dtype.itemsize, BASELINE_RECORD.itemsize
    if reference == "hash":
        return memory.hash_bytes(entries, key_size, value_size, cpus)
    if reference == "double_hash":
        return 2 * memory.hash_bytes(entries, key_size, value_size, cpus)
    if reference == "percpu_hash":
        return memory.percpu_hash_bytes(entries, key_size, value_size, cpus)
    raise ValueError(f"unknown reference {reference!r}")


REFERENCES = ("hash", "percpu_hash", "double_hash")
