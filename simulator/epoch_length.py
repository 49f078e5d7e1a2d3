"""How long an epoch lasts: shorter where the TFM fills up, whole again after calm.

Epochs of the base length end at its boundaries, floor((t - t0) / length). A shorter length divides
the base, and its epochs end at the first tick of the next division, so every boundary stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.observation import Observation
from simulator.switches import EpochChange, Values

if TYPE_CHECKING:
    from simulator.policy import Policy

RELIEF_SHARE = 0.5  # hysteresis: doubling an epoch cannot bring more than twice the fill
RELIEF_EPOCHS = 2  # finished epochs below that share, one after another, before it is doubled
PROBE_PERIODS = 8  # base lengths between two probes


@dataclass(frozen=True)
class Length:
    """The length of epochs, and what may change it."""

    divisions: int = 1  # of the base length
    relieved: int = 0  # finished epochs far below the limits, one after another
    probing: bool = False  # one whole epoch, whatever the limits say, to judge calm by
    probed: int = -PROBE_PERIODS  # the period of the latest probe
    shortened_ns: int = -1

    def epoch_ns(self, policy: Policy) -> int:
        """Return the length in ns."""
        return policy.epoch_ns if self.probing else policy.epoch_ns // self.divisions


def period_of(policy: Policy, start_ns: int, time_ns: int) -> int:
    """Return the number of the base length that holds a time."""
    return (time_ns - start_ns) // policy.epoch_ns


def is_whole(policy: Policy, start_ns: int, begin_ns: int, end_ns: int) -> bool:
    """Say whether an epoch ran from one boundary, give or take a tick, to another."""
    late = (begin_ns - start_ns) % policy.epoch_ns
    ended = period_of(policy, start_ns, end_ns) > period_of(policy, start_ns, begin_ns)
    return ended and late < policy.tick_ns


def end_of_epoch(policy: Policy, start_ns: int, begin_ns: int, epoch_ns: int) -> int:
    """Return when an epoch that began at `begin_ns` is to end."""
    period, offset = divmod(begin_ns - start_ns, policy.epoch_ns)
    boundary = (period + 1) * policy.epoch_ns
    if epoch_ns >= policy.epoch_ns:
        return start_ns + boundary
    division = period * policy.epoch_ns + (offset // epoch_ns + 1) * epoch_ns
    tick = -(-division // policy.tick_ns) * policy.tick_ns
    return start_ns + min(tick, boundary)


def adapt(
    policy: Policy, length: Length, seen: Observation, *, period: int, whole: bool, doubt: bool
) -> tuple[Length, tuple[EpochChange, ...]]:
    """Take one observation of Low Detail; returns the next length, and a change to log.

    `period` is the base length that holds now; `whole` and `doubt` tell of an epoch that has just
    ended: that it was a whole one, and that only a whole one can tell whether calm has come back.
    """
    if length.probing:
        return _end_probe(policy, length, seen) if whole else (length, ())
    pressure = _pressure(policy, seen)
    if pressure:
        length, changes = _shorten(policy, replace(length, relieved=0), seen, *pressure)
        if changes:
            return length, changes
    if length.divisions == 1 or seen.cardinality is None:
        return length, ()
    if doubt and period - length.probed >= PROBE_PERIODS:
        probe = replace(length, probing=True, probed=period, relieved=0)
        return probe, (_change(policy, probe, seen, "probe for calm", _keys(seen)),)
    return (length, ()) if pressure else _relieve(policy, length, seen)


def restore(
    policy: Policy, length: Length, seen: Observation
) -> tuple[Length, tuple[EpochChange, ...]]:
    """Return to the base length: in High Detail the TFM is idle."""
    if length.divisions == 1:
        return length, ()
    whole = Length(probed=length.probed)
    if length.probing:
        return whole, ()
    return whole, (_change(policy, whole, seen, "high detail", ()),)


# The limit that is exceeded, if any: its cause and what to log.
def _pressure(policy: Policy, seen: Observation) -> tuple[str, Values] | None:
    if seen.fill > policy.fill_limit:
        return "fill", (("fill", seen.fill), ("limit", policy.fill_limit))
    if seen.error is not None and seen.error > policy.error_limit:
        return "estimated error", (("error", seen.error), ("limit", policy.error_limit))
    return None


# A tick and the end of an epoch may show the same overfull light part: it counts once.
def _shorten(
    policy: Policy, length: Length, seen: Observation, cause: str, values: Values
) -> tuple[Length, tuple[EpochChange, ...]]:
    divisions = 2 * length.divisions
    possible = divisions <= policy.most_divisions and policy.epoch_ns // divisions >= policy.tick_ns
    if not possible or seen.now_ns <= length.shortened_ns:
        return length, ()
    shorter = replace(length, divisions=divisions, shortened_ns=seen.now_ns)
    return shorter, (_change(policy, shorter, seen, cause, values),)


def _relieve(
    policy: Policy, length: Length, seen: Observation
) -> tuple[Length, tuple[EpochChange, ...]]:
    error = seen.error or 0.0
    low = seen.fill < RELIEF_SHARE * policy.fill_limit
    if not low or error >= RELIEF_SHARE * policy.error_limit:
        return replace(length, relieved=0), ()
    if length.relieved + 1 < RELIEF_EPOCHS:
        return replace(length, relieved=length.relieved + 1), ()
    longer = replace(length, divisions=length.divisions // 2, relieved=0)
    values = (("fill", seen.fill), ("error", error))
    return longer, (_change(policy, longer, seen, "relief", values),)


def _end_probe(
    policy: Policy, length: Length, seen: Observation
) -> tuple[Length, tuple[EpochChange, ...]]:
    after = replace(length, probing=False)
    return after, (_change(policy, after, seen, "probe found no calm", _keys(seen)),)


def _keys(seen: Observation) -> Values:
    return () if seen.cardinality is None else (("cardinality", seen.cardinality),)


def _change(
    policy: Policy, length: Length, seen: Observation, cause: str, values: Values
) -> EpochChange:
    return EpochChange(seen.now_ns, length.epoch_ns(policy), cause, values)
