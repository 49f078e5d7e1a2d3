"""Run a suite: every case, its lanes interleaved, its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from lab.bench import report, streams
from lab.bench.interleave import interleave
from lab.bench.streams import KeyStream
from lab.bench.suite import BenchSettings
from lab.output import Advance

Row = dict[str, Any]


def bench(settings: BenchSettings, advance: Advance) -> Iterator[tuple[list[Row], list[Row]]]:
    """Measure case after case; yields its rows, and every single measurement in them."""
    for number, (name, n_keys) in enumerate(settings.cases()):
        rng = np.random.default_rng([settings.setup.seed, number])
        yield _case(settings, _stream(settings, name, n_keys), rng, advance)


def _case(
    settings: BenchSettings, stream: KeyStream, rng: np.random.Generator, advance: Advance
) -> tuple[list[Row], list[Row]]:
    suite, place = settings.suite, report.where(settings, stream)
    names = suite.lanes(settings.subjects)
    with ExitStack() as stack:
        lanes = suite.open(settings.setup, stream, names, stack)
        samples = interleave(lanes, settings.repeats, rng, advance)
        facts = {name: lane.facts for name, lane in lanes.items()}
    rows = [
        {
            "subject": name,
            "kind": suite.subjects[name].kind,
            **place,
            **report.cost_columns(suite, name, samples, rng),
            **report.fact_columns(facts[name]),
        }
        for name in settings.subjects
    ]
    raw = [
        {**place, "lane": name, "repeat": repeat, "ns": float(ns)}
        for name, values in samples.items()
        for repeat, ns in enumerate(values)
    ]
    return rows, raw


def _stream(settings: BenchSettings, name: str, n_keys: int | None) -> KeyStream:
    setup = settings.setup
    if n_keys is None:
        return streams.from_trace(name, settings.traces[name], setup.key)
    return streams.draw(name, n_keys, settings.packets, setup.key, setup.seed)
