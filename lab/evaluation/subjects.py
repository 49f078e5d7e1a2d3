"""What is evaluated, by name: the TFM as deployed, every peer sketch, and the plain hash map.

Add one: a line in `SUBJECTS`; a sketch in simulator/sketches is a subject without one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab import memory
from lab.evaluation.deployment import Answer, Conditions, Keys, deploy_peer, deploy_tfm
from lab.evaluation.workloads import Window
from simulator.layout import BASELINE_RECORD, KEYS

TFM = "tfm"
HASH = "hash"


Subject = Callable[[Window, Keys, Conditions], Answer]


def names() -> tuple[str, ...]:
    """Return every subject, the TFM first."""
    from simulator.sketches import SKETCHES

    return (TFM, HASH, *(name for name in SKETCHES if name != TFM))


def subject(name: str) -> Subject:
    """Return a subject by name; raises ValueError for an unknown one."""
    from simulator.sketches import SKETCHES

    if name == TFM:
        return deploy_tfm
    if name == HASH:
        return _hash
    if name not in SKETCHES:
        raise ValueError(f"unknown sketch {name!r}; there is {', '.join(names())}")
    return partial(deploy_peer, SKETCHES[name].for_memory)


def _hash(window: Window, distinct: Keys, given: Conditions) -> Answer:
    """Count in one hash map of the budget: the first keys find room, the others are refused."""
    room = _room(given)
    keys = window.keys(given.key)
    counts = _true_counts(keys, distinct)
    counts[room:] = 0  # `distinct` is in order of first appearance
    return Answer(
        counts,
        (distinct[:room], counts[:room]),
        float(min(room, len(distinct))),
        _size(room, given),
    )


def _room(given: Conditions) -> int:
    low, high = 1, max(2, given.budget)
    while low < high:  # the largest map within the budget; its buckets are a power of two
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(middle, given) <= given.budget else (low, middle - 1)
    return low


def _size(entries: int, given: Conditions) -> int:
    sizes = KEYS[given.key].dtype.itemsize, BASELINE_RECORD.itemsize
    return memory.hash_bytes(entries, *sizes, given.instances)


def _true_counts(keys: Keys, distinct: Keys) -> NDArray[Any]:
    from simulator.metrics import truth

    found, packets, _ = truth(keys)
    assert len(found) == len(distinct)  # the same tally, so the same order
    return packets.astype(np.float64)
