"""A sketch as it is deployed: one instance per CPU, two epoch buffers, the packets steered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.evaluation.workloads import Window
from simulator import estimate, geometry
from simulator.cardinality import cardinality
from simulator.geometry import EPOCH_BUFFERS
from simulator.glimpse import Glimpse
from simulator.hashing import hash_many
from simulator.layout import HASH_WORDS, KEYS, Hash, Outcome, Setting
from simulator.ledger import Ledger, balance
from simulator.parsing import Parsed
from simulator.sketches.protocol import Sketch

Keys = NDArray[np.uint64]
STEER, SPREAD = "steered", "spread"
_STEERING = np.zeros(HASH_WORDS, np.uint64)  # murmur3 with seed 0: not the sketch's own hash


@dataclass(frozen=True)
class Conditions:
    """All that a deployment is told besides the window."""

    key: str
    budget: int  # bytes, everything counted
    instances: int = 2
    steering: str = STEER
    seed: int = 0
    top: int = 0  # keys that each instance of a peer is asked for; enough for every heavy hitter


class Answer(NamedTuple):
    """What a deployment says of a finished epoch."""

    counts: NDArray[Any]  # (n,) estimates of the window's distinct keys
    found: tuple[Keys, NDArray[Any]] | None  # keys recovered from the structure, their estimates
    cardinality: float | None
    memory: int  # bytes, everything counted
    saturated: int | None = None
    packets: int | None = None  # that the deployment's own accounts hold


Factory = Callable[[int, int, int], Sketch]  # bytes, words of a key, seed


def instances_of(keys: Keys, instances: int, steering: str) -> NDArray[np.int64]:
    """Return the instance of each packet.

    `steered`: by a hash of the key, so that a key stays on one CPU, as RSS does for flows.
    `spread`: in turn, so that every key is on every CPU: the worst case.
    """
    if steering == SPREAD:
        return np.arange(len(keys), dtype=np.int64) % instances
    if steering == STEER:
        return (hash_many(Hash.MURMUR3, keys, _STEERING)[:, 0] % np.uint64(instances)).astype(
            np.int64
        )
    raise ValueError(f"unknown steering {steering!r}")


def deploy_tfm(window: Window, distinct: Keys, given: Conditions) -> Answer:
    """Run the data path itself, forced to Low Detail, over one epoch of the window."""
    shape = geometry.for_memory(given.budget, KEYS[given.key], given.instances)
    twin = Glimpse(shape, exact_entries=1, setting=Setting.LOW, seed=given.seed)
    packets = len(window.flows)
    where = instances_of(window.keys(given.key), given.instances, given.steering)
    which = (where + 1).astype(np.uint64)
    outcomes = np.full(packets, Outcome.IP, np.uint8)
    twin.feed(
        Parsed(outcomes, window.flows, window.lengths),
        np.ones(packets, np.uint64),
        which.astype(np.uint64),
    )
    retired = twin.swap_epoch()
    heavy = estimate.heavy_keys(retired)
    return Answer(
        counts=estimate.estimate(retired, distinct).packets,
        found=(heavy, estimate.estimate(retired, heavy).packets),
        cardinality=cardinality(retired),
        memory=shape.low_detail_bytes,
        saturated=int(retired.headers["saturated"].sum()),
        packets=_accounted(balance(retired)),
    )


# What the ledger accounts for; a difference is subtracted, so that it shows.
def _accounted(ledger: Ledger) -> int:
    return ledger.seen - abs(ledger.difference)


def deploy_peer(make: Factory, window: Window, distinct: Keys, given: Conditions) -> Answer:
    """Run one table per instance, each with its share of the budget; buffers count as the TFM's do.

    A key's count is the sum over the instances that may have met it.
    """
    keys, instances = window.keys(given.key), given.instances
    which = instances_of(keys, instances, given.steering)
    share = given.budget // (EPOCH_BUFFERS * instances)
    counts = np.zeros(len(distinct))
    homes = instances_of(distinct, instances, STEER)
    named: list[tuple[Keys, NDArray[Any]]] = []
    used = 0
    for instance in range(instances):
        sketch = make(share, keys.shape[1], given.seed + instance)
        sketch.update(keys[which == instance])
        here = homes == instance if given.steering == STEER else np.ones(len(distinct), bool)
        counts[here] += sketch.estimate(distinct[here]).astype(np.float64)
        used += EPOCH_BUFFERS * sketch.memory
        largest = sketch.top(given.top)
        if largest is not None:
            named.append(largest)
    return Answer(counts, _merged(named), None, used)


# A key that two instances name has the sum of its counts.
def _merged(named: list[tuple[Keys, NDArray[Any]]]) -> tuple[Keys, NDArray[Any]] | None:
    if not named:
        return None
    keys = np.concatenate([k for k, _ in named])
    counts = np.concatenate([c for _, c in named]).astype(np.float64)
    if not len(keys):
        return keys, counts
    distinct, inverse = np.unique(keys, axis=0, return_inverse=True)
    return distinct, np.bincount(inverse.ravel(), counts, len(distinct))
