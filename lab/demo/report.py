"""The demo's report: one document of plain data, from which tables and figure are made."""

from __future__ import annotations

import signal
from typing import Any

from lab.demo.checks import Check, checks
from lab.demo.recording import Offered, Recording
from lab.demo.scenario import Flood, Phase, Scenario
from lab.demo.truth import Scored, ScoredEpoch, Tick
from lab.memory import baseline_bytes, memory_record
from lab.replay.record import ACCURACY, record, switch_record
from lab.replay.run import ReplayResult, ReplaySettings
from lab.replay.speed import Speed
from simulator.ledger import Ledger
from simulator.policy import SECOND_NS, Switch

SCHEMA = 1


def document(scenario: Scenario, recording: Recording, scored: Scored) -> dict[str, Any]:
    """Return everything that a run found; what does not apply is None."""
    found = checks(scenario, recording, scored)
    return {
        "engine": recording.engine,
        "truth": "exact" if scored.exact else "offered, the link dropped some",
        "stopped_by": recording.stopped_by and signal.Signals(recording.stopped_by).name,
        "summary": summary(recording, scored),
        "phases": [_phase(scenario, recording, scored, i) for i in range(len(recording.offered))],
        "switches": [_switch(recording, switch) for switch in recording.switches],
        "epochs": [_epoch(scenario, recording, epoch) for epoch in scored.epochs],
        "timeline": [_tick(scenario, recording, tick) for tick in scored.ticks],
        "checks": [_check(check) for check in found],
    }


def summary(recording: Recording, scored: Scored) -> dict[str, Any]:
    """Return the record of the whole run, as `lab replay` has it."""
    settings = recording.settings
    replayed = ReplaySettings(settings, recording.policy, settings.geometry.instances)
    result = ReplayResult(scored.total, None, recording.switches, Speed(), recording.log)
    found = record(replayed, result)
    del found["speed"]  # of feeding a file; the phases have their rates
    return {"schema": SCHEMA, **found}


def _phase(scenario: Scenario, recording: Recording, scored: Scored, number: int) -> dict[str, Any]:
    phase, offered, found = (
        scenario.phases[number],
        recording.offered[number],
        scored.phases[number],
    )
    details = [s.detail.name.lower() for s in recording.samples if s.phase <= number]
    earlier = sum(s.phase < number for s in recording.samples)
    epochs = [e.epoch.finished for e in scored.epochs if e.epoch.phase == number]
    settings = recording.settings
    return {
        "phase": phase.name,
        "begin_s": _since(recording, epochs[0].begin_ns) if epochs else None,
        "end_s": _since(recording, epochs[-1].end_ns) if epochs else None,
        "epochs": {"count": found.epochs, "low": found.low_epochs},
        **_accounts(offered, found.ledger),
        "keys": found.keys,
        "new_sources": _new_sources(phase, offered),
        "detail": _changes(["high", *details][earlier:]),
        "accuracy": {name: getattr(found.accuracy, name) for name in ACCURACY},
        "memory": memory_record(settings.geometry, settings.exact_entries, found.keys),
    }


def _new_sources(phase: Phase, offered: Offered) -> int | None:
    stream = phase.stream
    return stream.new_sources(offered.packets) if isinstance(stream, Flood) else None


def _accounts(offered: Offered, ledger: Ledger) -> dict[str, Any]:
    rate = offered.packets / offered.seconds if offered.seconds else None
    return {
        "offered": offered.packets,
        "offered_per_second": rate,
        "dropped": offered.dropped,
        "packets": ledger.seen,
        "unaccounted": offered.packets - offered.dropped - ledger.seen,
        "high_packets": ledger.exact,
        "low_packets": ledger.sketched,
        "not_ip": ledger.not_ip,
        "malformed": ledger.malformed,
        "ledger_difference": ledger.difference + ledger.byte_difference,
    }


# What held when a phase began and during it, without repetitions.
def _changes(details: list[str]) -> list[str]:
    return [d for i, d in enumerate(details) if i == 0 or details[i - 1] != d]


def _switch(recording: Recording, switch: Switch) -> dict[str, Any]:
    return {"time_s": _since(recording, switch.time_ns), **switch_record(switch)}


def _epoch(scenario: Scenario, recording: Recording, scored: ScoredEpoch) -> dict[str, Any]:
    finished, ledger = scored.epoch.finished, scored.ledger
    accuracy = scored.accuracy
    return {
        "epoch": finished.retired.epoch,
        "phase": scenario.phases[scored.epoch.phase].name,
        "begin_s": _since(recording, finished.begin_ns),
        "end_s": _since(recording, finished.end_ns),
        "detail": finished.detail.name.lower(),
        "packets": ledger.seen,
        "high_packets": ledger.exact,
        "low_packets": ledger.sketched,
        "keys": scored.keys,
        "estimated_keys": finished.cardinality,
        "known_keys": scored.known_keys,
        "baseline_hash_bytes": baseline_bytes(scored.keys, recording.settings.geometry.key),
        "accuracy": accuracy and {name: getattr(accuracy, name) for name in ACCURACY},
    }


def _tick(scenario: Scenario, recording: Recording, tick: Tick) -> dict[str, Any]:
    return {
        "time_s": _since(recording, tick.sample.time_ns),
        "phase": scenario.phases[tick.sample.phase].name,
        "detail": tick.sample.detail.name.lower(),
        "packets_per_second": tick.packets / tick.seconds if tick.seconds else None,
        "new_keys_per_second": tick.new_keys / tick.seconds if tick.seconds else None,
    }


def _check(check: Check) -> dict[str, Any]:
    return {"check": check.name, "passed": check.passed, "found": check.found}


def _since(recording: Recording, time_ns: int) -> float:
    return (time_ns - recording.start_ns) / SECOND_NS
