"""The run as metrics: a collector that makes them of the newest look, whenever somebody asks.

Packets are those of finished epochs, so the accounts of each scrape balance; gauges tell of the
latest tick, or of the latest finished epoch. Keys become labels only where they were asked for: an
address per label value would fill any database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from lab.run.look import Latest, Look
from lab.run.snapshot import KeyCount, Snapshot
from simulator.layout import Detail
from simulator.policy import SECOND_NS

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

PREFIX = "glimpse_"
ACCOUNTS = ("exact", "sketched", "not_ip", "malformed")

Value = float | int | None
Row = tuple[str, str, Callable[[Look], Value]]

_COUNTERS: tuple[Row, ...] = (
    ("bytes", "Bytes that the data path saw.", lambda look: look.ledger.seen_bytes),
    ("epochs", "Finished epochs.", lambda look: look.epochs),
    ("switches", "Changes of detail.", lambda look: look.switches),
    ("trips", "Switches that the kernel took by itself.", lambda look: look.observation.generation),
    (
        "dropped_before_xdp_packets",
        "Packets that the interface lost before XDP; no part of the accounts.",
        lambda look: look.drops.before_xdp,
    ),
    ("user_cpu_seconds", "Processor time of user space.", lambda look: time.process_time()),
)
_GAUGES: tuple[Row, ...] = (
    ("low_detail", "Whether Low Detail holds.", lambda look: look.detail is Detail.LOW),
    ("ledger_difference", "Packets and bytes unaccounted for; always 0.", lambda look: _owed(look)),
    ("packet_rate", "Packets per second over the latest tick.", lambda look: look.rates.packets),
    ("new_key_rate", "New keys per second over the latest tick.", lambda look: look.rates.new_keys),
    ("epoch_length_seconds", "Length of epochs.", lambda look: look.epoch_ns / SECOND_NS),
    (
        "exact_table_occupancy_ratio",
        "Share of the exact table in use.",
        lambda look: look.observation.occupancy,
    ),
    (
        "light_part_fill_ratio",
        "Share of the light part's counters in use.",
        lambda look: look.observation.fill,
    ),
    (
        "estimated_error_packets",
        "Mean error of an estimate, measured by phantom keys.",
        lambda look: look.observation.error,
    ),
)
_EPOCH_GAUGES: tuple[tuple[str, str, Callable[[Snapshot], Value]], ...] = (
    (
        "keys",
        "Distinct keys of the latest finished epoch, estimated.",
        lambda epoch: epoch.observation.cardinality,
    ),
    (
        "epoch_read_seconds",
        "Time to read the latest finished epoch.",
        lambda epoch: epoch.timing.read_ns / SECOND_NS,
    ),
    (
        "grace_period_seconds",
        "Time until no CPU could write to that epoch any more.",
        lambda epoch: epoch.timing.grace_ns / SECOND_NS,
    ),
)


class Collector:
    """What a registry of prometheus-client asks."""

    def __init__(self, latest: Latest, top: int = 0) -> None:
        """Read from `latest`; `top` is how many top keys become labels."""
        self._latest, self._top = latest, top

    def collect(self) -> Iterator[Metric]:
        """Yield every metric; none before the first tick."""
        look = self._latest.get()
        if look is None:
            return
        yield _accounts(look)
        for name, text, value in _COUNTERS:
            yield from _counter(name, text, value(look))
        for name, text, value in _GAUGES:
            yield from _gauge(name, text, value(look))
        if look.snapshot:
            for name, text, of in _EPOCH_GAUGES:
                yield from _gauge(name, text, of(look.snapshot))
            yield from self._keys(look.snapshot)

    def _keys(self, snapshot: Snapshot) -> Iterator[Metric]:
        if self._top:
            top = snapshot.top[: self._top]
            yield _counts("top_key_packets", "Packets of a top key in the latest epoch.", top)
        if snapshot.queries:
            text = "Packets of a queried key in the latest epoch."
            yield _counts("query_packets", text, snapshot.queries)


def _accounts(look: Look) -> Metric:
    family = _new_counter("packets", "Packets that the data path saw, by account.", ["account"])
    for account in ACCOUNTS:
        family.add_metric([account], getattr(look.ledger, account))
    return family


def _counts(name: str, text: str, keys: Iterable[KeyCount]) -> Metric:
    family = _new_gauge(name, text, ["key", "bound"])
    for count in keys:
        family.add_metric([count.key, "lower"], count.lower)
        if not count.saturated:
            family.add_metric([count.key, "upper"], count.packets)
    return family


def _counter(name: str, text: str, value: Value) -> Iterator[Metric]:
    if value is not None:
        family = _new_counter(name, text, [])
        family.add_metric([], value)
        yield family


def _gauge(name: str, text: str, value: Value) -> Iterator[Metric]:
    if value is not None:
        family = _new_gauge(name, text, [])
        family.add_metric([], value)
        yield family


def _new_counter(name: str, text: str, labels: list[str]) -> CounterMetricFamily:
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(PREFIX + name, text, labels=labels)


def _new_gauge(name: str, text: str, labels: list[str]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(PREFIX + name, text, labels=labels)


def _owed(look: Look) -> int:
    return look.ledger.difference + look.ledger.byte_difference
