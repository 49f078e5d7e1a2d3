"""The run's records as plain data: metadata, one per epoch, and the summary."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from lab.replay.record import alarm_record, change_record, switch_record
from lab.run.snapshot import Snapshot
from lab.run.totals import ledger_record
from simulator.policy import SECOND_NS
from simulator.switches import Alarm, Entry, EpochChange, Switch

SCHEMA = 1


def epoch_record(
    snapshot: Snapshot, start_ns: int, log: Iterable[Entry], news: Iterable[str]
) -> dict[str, Any]:
    """Return a finished epoch; `log` and `news` are what happened during it."""
    seen, ledger = snapshot.observation, snapshot.ledger
    entries = list(log)
    return {
        "record": "epoch",
        "epoch": snapshot.epoch,
        "begin_s": _since(start_ns, snapshot.begin_ns),
        "end_s": _since(start_ns, snapshot.end_ns),
        "detail": snapshot.detail.name.lower(),
        **ledger_record(ledger),
        "packets_per_second": ledger.seen / snapshot.seconds,
        "bytes_per_second": ledger.seen_bytes / snapshot.seconds,
        "new_keys": seen.new_keys,
        "keys": _finite(seen.cardinality),
        "keys_error": _finite(seen.cardinality_error),
        "keys_reliable": snapshot.reliable,
        "occupancy": seen.occupancy,
        "fill": seen.fill,
        "error": seen.error,
        "saturated": snapshot.saturated,
        "evictions": snapshot.evictions,
        "dropped_before_xdp": snapshot.drops.before_xdp,
        "top": [count.record() for count in snapshot.top],
        "queries": [count.record() for count in snapshot.queries],
        "switches": [switch_record(e) for e in entries if isinstance(e, Switch)],
        "epoch_changes": [change_record(e) for e in entries if isinstance(e, EpochChange)],
        "alarms": [alarm_record(e) for e in entries if isinstance(e, Alarm)],
        "interface_news": list(news),
        "read_ms": snapshot.timing.read_ns / 1e6,
        "read_cpu_ms": snapshot.timing.cpu_ns / 1e6,
        "grace_ms": snapshot.timing.grace_ns / 1e6,
    }


def _since(start_ns: int, time_ns: int) -> float:
    return (time_ns - start_ns) / SECOND_NS


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
