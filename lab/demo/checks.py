"""What must hold of every demo, or it has failed."""

from __future__ import annotations

from dataclasses import dataclass

from lab.demo.recording import Recording
from lab.demo.scenario import Flood, Scenario
from lab.demo.truth import Scored
from simulator.layout import Detail
from simulator.policy import SECOND_NS, Switch


@dataclass(frozen=True)
class Check:
    """One claim about a run."""

    name: str
    passed: bool | None  # None: the run ended before it could show
    found: str


def checks(scenario: Scenario, recording: Recording, scored: Scored) -> list[Check]:
    """Check the accounts always, the switches where the run came that far."""
    return [
        _ledger(scored),
        _accounted(recording, scored),
        _trip(scenario, recording),
        _return(scenario, recording),
    ]


def _ledger(scored: Scored) -> Check:
    ledger = scored.total.ledger
    difference = ledger.difference + ledger.byte_difference
    return Check(
        "ledger",
        difference == 0,
        f"seen {ledger.seen:,} = exact {ledger.exact:,} + sketched {ledger.sketched:,} "
        f"+ not IP {ledger.not_ip:,} + malformed {ledger.malformed:,}, difference {difference:,}",
    )


def _accounted(recording: Recording, scored: Scored) -> Check:
    offered = sum(phase.packets for phase in recording.offered)
    dropped = sum(phase.dropped for phase in recording.offered)
    seen = scored.total.ledger.seen
    return Check(
        "accounted",
        offered == seen + dropped,
        f"offered {offered:,} = seen {seen:,} + dropped before XDP {dropped:,}, "
        f"difference {offered - seen - dropped:,}",
    )


def _trip(scenario: Scenario, recording: Recording) -> Check:
    trip = _first(recording, Detail.LOW, _flood_begin(scenario, recording))
    if trip is None:
        begun = len(recording.offered) > _flood(scenario)
        passed = None if recording.stopped_by else False
        what = "the flood did not trip" if begun else "there was no flood"
        return Check("trip", passed, what)
    return Check("trip", True, f"to Low Detail at {_time(recording, trip)}: {trip.cause}")


def _return(scenario: Scenario, recording: Recording) -> Check:
    trip = _first(recording, Detail.LOW, _flood_begin(scenario, recording))
    back = _first(recording, Detail.HIGH, trip.time_ns) if trip else None
    if back is None:
        passed = None if recording.stopped_by else False
        return Check("return", passed, "there was no return to High Detail")
    return Check("return", True, f"to High Detail at {_time(recording, back)}: {back.cause}")


def _flood(scenario: Scenario) -> int:
    return next(i for i, p in enumerate(scenario.phases) if isinstance(p.stream, Flood))


# When the first epoch of the flood began; where none has finished, never.
def _flood_begin(scenario: Scenario, recording: Recording) -> int | None:
    number = _flood(scenario)
    begins = (e.finished.begin_ns for e in recording.epochs if e.phase == number)
    return next(begins, None)


def _first(recording: Recording, detail: Detail, since_ns: int | None) -> Switch | None:
    if since_ns is None:
        return None
    switches = (s for s in recording.switches if s.detail is detail and s.time_ns >= since_ns)
    return next(switches, None)


def _time(recording: Recording, switch: Switch) -> str:
    return f"{(switch.time_ns - recording.start_ns) / SECOND_NS:.2f} s"
