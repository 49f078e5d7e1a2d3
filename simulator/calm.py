"""Tell overload from calm: what orders Low Detail early, and what must hold for a return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.layout import Detail
from simulator.observation import SECOND_NS, Observation
from simulator.switches import Switch

if TYPE_CHECKING:
    from simulator.policy import Policy

SURE = 2.0  # standard errors of the cardinality that calm must leave room for


def overload(
    policy: Policy, seen: Observation, packet_rate: float, generation: int
) -> Switch | None:
    """Return the switch to Low Detail where a limit is exceeded, before the kernel has to trip."""
    lasted = max(policy.epoch_ns, seen.now_ns - seen.begin_ns)  # longer where user space was late
    # Where the epoch has ended, the table is empty again.
    occupancy = seen.occupancy if seen.cardinality is None else 0.0
    causes = (
        ("exact table nearly full", "occupancy", occupancy, policy.occupancy_limit),
        ("new keys", "new_keys", seen.new_keys, policy.new_keys_limit * policy.burst_of(lasted)),
        ("packet rate", "packets_per_second", packet_rate, policy.packet_limit),
    )
    for cause, name, value, limit in causes:
        if value > limit:
            values = ((name, float(value)), ("limit", float(limit)))
            return Switch(seen.now_ns, Detail.LOW, cause, generation, values)
    return None


def calm_switch(policy: Policy, seen: Observation, generation: int) -> Switch:
    """Return the switch back to High Detail."""
    values = (
        ("cardinality", seen.cardinality or 0.0),
        ("return_below", policy.return_below),
        ("packets_per_second", _packet_rate(seen)),
    )
    return Switch(seen.now_ns, Detail.HIGH, "calm", generation, values)


def is_calm(policy: Policy, seen: Observation, times: float = 1.0) -> bool:
    """Say whether High Detail could bear an epoch of `times` the keys of the finished one."""
    if seen.cardinality is None or seen.ledger_difference:
        return False
    most = times * seen.cardinality * (1 + SURE * seen.cardinality_error)
    return most < policy.return_below and _packet_rate(seen) < policy.return_packets


def shortness(policy: Policy, seen: Observation) -> float:
    """Return how many such epochs make a base length: that many times its keys is the most."""
    lasted = max(1, seen.now_ns - seen.begin_ns)
    return 1.0 if lasted > policy.epoch_ns - policy.tick_ns else policy.epoch_ns / lasted


def _packet_rate(seen: Observation) -> float:
    return seen.packets * SECOND_NS / max(1, seen.now_ns - seen.begin_ns)
