"""One measurement: a window, a sketch, a size, a seed; the unit that is scheduled and resumed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lab.evaluation.budgets import INSTANCES, budget_of
from lab.evaluation.deployment import STEER, Answer, Conditions, Keys
from lab.evaluation.subjects import subject
from lab.evaluation.workloads import Workload
from simulator import metrics

SCHEMA = 1  # of a row: finished work of another schema is done again
SPARE = 4  # instances are asked for this many times the keys that can be heavy hitters


@dataclass(frozen=True)
class Task:
    """A point of the sweep."""

    workload: Workload
    key: str
    sketch: str
    share: float  # of the reference map's memory
    seed: int
    reference: str = "hash"
    instances: int = INSTANCES
    steering: str = STEER

    @property
    def id(self) -> str:
        """Return a name that is the same for the same work, in hexadecimal."""
        text = json.dumps([SCHEMA, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Truth:
    """Exact counts of a window's keys, in order of first appearance."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.packets, _ = metrics.truth(keys)


@lru_cache(maxsize=2)
def _truth(workload: Workload, key: str, seed: int) -> _Truth:
    return _Truth(workload.window(seed).keys(key))


def run(task: Task) -> dict[str, Any]:
    """Do one task; returns its row. The same task gives the same row, on any machine."""
    traffic_seed = task.seed if task.workload.seeded else 0
    window = task.workload.window(traffic_seed)
    true = _truth(task.workload, task.key, traffic_seed)
    reference = budget_of(task.reference, len(true.keys), task.key, task.instances)
    conditions = Conditions(
        key=task.key,
        budget=int(reference * task.share),
        instances=task.instances,
        steering=task.steering,
        seed=task.seed,
        top=round(SPARE / metrics.HEAVY_SHARE),
    )
    row = _point(task, len(window.flows), len(true.keys), reference, conditions.budget)
    try:
        answer = subject(task.sketch)(window, true.keys, conditions)
    except ValueError as error:  # too small a budget for this sketch: a gap, said plainly
        return row | _measures(None, true) | {"problem": str(error)}
    return row | _measures(answer, true) | {"problem": None}


def _point(task: Task, packets: int, keys: int, reference: int, budget: int) -> dict[str, Any]:
    return {
        "id": task.id,
        "workload": task.workload.name,
        "key": task.key,
        "sketch": task.sketch,
        "share": task.share,
        "reference": task.reference,
        "instances": task.instances,
        "steering": task.steering,
        "seed": task.seed,
        "packets": packets,
        "keys": keys,
        "reference_bytes": reference,
        "budget_bytes": budget,
    }


def _measures(answer: Answer | None, true: _Truth) -> dict[str, Any]:
    if answer is None:
        names = asdict(metrics.Accuracy())
        return {"memory_bytes": None, **names, "top1000_are": None, "saturated": None}
    accuracy = metrics.accuracy(
        true.keys,
        true.packets,
        answer.counts,
        found=answer.found,
        cardinality=_finite(answer.cardinality),
    )
    return {
        "memory_bytes": answer.memory,
        **asdict(accuracy),
        "top1000_are": metrics.topk_are(true.packets, answer.counts, 1000),
        "saturated": answer.saturated,
    }


# A full row's linear counting says nothing of the cardinality.
def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
