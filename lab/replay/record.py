"""The JSON of a replay, and of the demo's summary: one record."""

from __future__ import annotations

from typing import Any

from lab.environment import environment
from lab.memory import memory_record
from lab.replay.compare import Comparison
from lab.replay.run import ReplayResult, ReplaySettings
from simulator.layout import Detail
from simulator.policy import SECOND_NS, Alarm, EpochChange, Switch

SCHEMA = 1
ACCURACY = (
    "one_minus_are",
    "weighted",
    "within_5_percent",
    "top100_are",
    "heavy_hitter_f1",
    "cardinality_error",
)


def record(settings: ReplaySettings, result: ReplayResult) -> dict[str, Any]:
    """Return everything a replay found; what does not apply is None."""
    score, path = result.score, settings.datapath
    ledger = score.ledger
    return {
        "packets": ledger.seen,
        "bytes": ledger.seen_bytes,
        "ip": ledger.exact + ledger.sketched,
        "not_ip": ledger.not_ip,
        "malformed": ledger.malformed,
        "keys": score.keys,
        "epochs": {"count": score.epochs, "low": score.low_epochs},
        "detail": detail_record(settings, result),
        "ledger_difference": ledger.difference + ledger.byte_difference,
        "saturated": score.saturated,
        **comparison_record(result.comparison),
        "memory": memory_record(path.geometry, path.exact_entries, score.keys),
        "accuracy": {name: getattr(score.accuracy, name) for name in ACCURACY},
        "switches": [switch_record(switch) for switch in result.switches],
        "epoch_changes": [
            change_record(entry) for entry in result.log if isinstance(entry, EpochChange)
        ],
        "alarms": [alarm_record(entry) for entry in result.log if isinstance(entry, Alarm)],
        "settings": settings_record(settings),
        "speed": result.speed.record(ledger.seen),
        "environment": environment(path.seed),
    }


def detail_record(settings: ReplaySettings, result: ReplayResult) -> dict[str, Any]:
    """Return how the packets were divided between the details, and the switches counted."""
    ledger = result.score.ledger
    return {
        "setting": settings.datapath.setting.name.lower(),
        "high_packets": ledger.exact,
        "low_packets": ledger.sketched,
        "trips": sum(switch.detail is Detail.LOW for switch in result.switches),
        "returns": sum(switch.detail is Detail.HIGH for switch in result.switches),
    }


def comparison_record(comparison: Comparison | None) -> dict[str, Any]:
    """Return what the two engines differ in, and how much was compared; None for one engine."""
    if comparison is None:
        return {"twin_differences": None, "twin_compared": None, "twin_examples": None}
    return {
        "twin_differences": comparison.differences,
        "twin_compared": {
            "packets": comparison.packets,
            "keys": comparison.keys,
            "bytes": comparison.bytes,
            "steps": comparison.steps,
        },
        "twin_examples": comparison.examples,
    }


def switch_record(switch: Switch) -> dict[str, Any]:
    """Return one change of detail."""
    return {
        "time_ns": switch.time_ns,
        "detail": switch.detail.name.lower(),
        "cause": switch.cause,
        "generation": switch.generation,
        "values": dict(switch.values),
    }


def change_record(change: EpochChange) -> dict[str, Any]:
    """Return one change of the length of epochs."""
    return {
        "time_ns": change.time_ns,
        "epoch_seconds": change.epoch_ns / SECOND_NS,
        "cause": change.cause,
        "values": dict(change.values),
    }


def alarm_record(alarm: Alarm) -> dict[str, Any]:
    """Return something that must never happen, and did."""
    return {"time_ns": alarm.time_ns, "cause": alarm.cause, "values": dict(alarm.values)}


def settings_record(settings: ReplaySettings) -> dict[str, Any]:
    """Return what the run was asked to do, and the geometry that came of it."""
    path, policy = settings.datapath, settings.policy
    return {
        "key": path.geometry.key.name,
        "hash": path.hash.name.lower(),
        "cpus": settings.cpus,
        "exact_entries": path.exact_entries,
        "threshold": policy.threshold,
        "epoch_seconds": policy.epoch_ns / SECOND_NS,
        "tick_seconds": policy.tick_ns / SECOND_NS,
        "buckets": path.geometry.buckets,
        "groups": path.geometry.groups,
        "rows": path.geometry.rows,
        "width": path.geometry.width,
    }
