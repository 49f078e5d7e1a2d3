"""From repeats to rows: what each lane adds to its no-op, and how that compares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lab.bench.interleave import Samples
from lab.bench.lane import Facts
from lab.bench.statistics import median_interval, ratio_interval
from lab.bench.streams import KeyStream
from lab.bench.suite import AGAIN, BenchSettings, Suite

SCHEMA = 1


def where(settings: BenchSettings, stream: KeyStream) -> dict[str, Any]:
    """Return the columns that name a case."""
    return {
        "keys": stream.name,
        "key": settings.setup.key.name,
        "cpus": len(settings.setup.cpus),
        "n_keys": stream.n_keys,
        "packets": len(stream.keys),
    }


def added(suite: Suite, name: str, samples: Samples) -> NDArray[np.float64]:
    """Return what a subject adds to its no-op, repeat by repeat, in ns per packet."""
    control = suite.subjects[name].control
    lane = name + AGAIN if name == control else name
    return samples[lane] - samples[control]


def cost_columns(suite: Suite, name: str, samples: Samples, rng: Generator) -> dict[str, Any]:
    """Return a subject's cost, its ratio to the suite's reference, and the harness's own cost."""
    cost = median_interval(mine := added(suite, name, samples), rng)
    ratio = ratio_interval(mine, added(suite, suite.reference, samples), rng)
    return {
        "repeats": len(mine),
        "ns_median": cost.median,
        "ns_low": cost.low,
        "ns_high": cost.high,
        suite.ratio: ratio.median,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "harness_ns": float(np.median(samples[suite.subjects[name].control])),
    }


def fact_columns(facts: Facts) -> dict[str, Any]:
    """Return what is known of a lane beside its time."""
    return {
        "instructions": facts.instructions,
        "jited_bytes": facts.jited_bytes,
        "memory_bytes": facts.memory_bytes,
    }


def table_columns(suite: Suite) -> tuple[str, ...]:
    """Return the columns that a terminal has room for."""
    named = ("subject", "keys", "key", "cpus", "n_keys", "ns_median", "ns_low", "ns_high")
    return (*named, suite.ratio, "instructions", "jited_bytes", "memory_bytes")
