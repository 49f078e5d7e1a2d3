"""The adaptive policy, pure: (state, observation) -> (state, decision).

The kernel goes to Low Detail by itself, within the packet that meets a limit. The policy decides
how much the kernel may spend before it does (a token bucket of new keys), may order Low Detail
earlier, decides when to return, and how long epochs are. `lab/controller.py` runs it unchanged on
both engines.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import ClassVar, NamedTuple

from simulator.calm import calm_switch, is_calm, overload, shortness
from simulator.epoch_length import Length, adapt, is_whole, period_of, restore
from simulator.layout import Cause, Detail, Setting
from simulator.observation import SECOND_NS, Decision, Observation
from simulator.rows import Row
from simulator.switches import Alarm, Entry, EpochChange, Switch

__all__ = [
    "SECOND_NS",
    "Alarm",
    "Decision",
    "Entry",
    "EpochChange",
    "Observation",
    "Policy",
    "State",
    "Switch",
    "start",
    "step",
    "take_over",
]

THRESHOLD = 10_000  # new keys per second
EPOCH_NS = SECOND_NS
TICK_NS = SECOND_NS // 10
DWELL_EPOCHS = 2  # base lengths in Low Detail before a return is considered
RETURN_SHARE = 0.5  # hysteresis: return below this share of what would trip


@dataclass(frozen=True)
class Policy(Row):
    """The settings of a run."""

    ENUMS: ClassVar[dict[str, type[IntEnum]]] = {"setting": Setting}

    threshold: int = THRESHOLD  # new keys per second
    epoch_ns: int = EPOCH_NS  # the base length
    tick_ns: int = TICK_NS
    exact_entries: int = 16384
    dwell_epochs: int = DWELL_EPOCHS
    setting: Setting = Setting.AUTO  # a forced detail: the policy only fills the bucket
    packet_limit: int = 1_000_000  # packets/s; above, High Detail costs too much
    occupancy_limit: float = 0.9  # of the exact table
    new_keys_limit: float = 1.5  # of threshold * epoch, in one epoch; the bucket bears 2
    fill_limit: float = 0.85  # of the light cells; from there on new keys find none
    error_limit: float = 0.5  # packets, mean of the phantom keys
    most_divisions: int = 4  # of an epoch, a power of two; 1: its length is fixed

    def __post_init__(self) -> None:
        """Refuse settings that no run could have."""
        if min(self.threshold, self.tick_ns, self.exact_entries, self.dwell_epochs) < 1:
            raise ValueError("threshold, tick, exact entries and dwell must be positive")
        if min(self._limits) <= 0:
            raise ValueError("the limits of packets, keys, occupancy, fill, error must be positive")
        if self.most_divisions < 1 or self.most_divisions & (self.most_divisions - 1):
            raise ValueError("an epoch is divided by a power of two")
        if self.epoch_ns < self.tick_ns:
            raise ValueError("an epoch must be at least one tick long")

    @property
    def _limits(self) -> tuple[float, ...]:
        keys = (self.occupancy_limit, self.new_keys_limit)
        return (self.packet_limit, *keys, self.fill_limit, self.error_limit)

    @property
    def burst(self) -> int:
        """Return the depth of the token bucket, in new keys: a whole epoch's worth.

        So a steady set of keys, new again after every epoch swap, does not trip.
        """
        return self.burst_of(self.epoch_ns)

    def burst_of(self, epoch_ns: int) -> int:
        """Return the depth of the token bucket at another length of epochs."""
        return max(1, self.threshold * epoch_ns // SECOND_NS)

    @property
    def return_below(self) -> float:
        """Return the keys per epoch below which High Detail is safe again."""
        return RETURN_SHARE * min(self.burst, self.exact_entries)

    @property
    def return_packets(self) -> float:
        """Return the packets/s below which High Detail is safe again."""
        return RETURN_SHARE * self.packet_limit


class PacketRate(NamedTuple):
    """The packet rate as last measured."""

    time_ns: int = 0
    seen: int = 0  # packets until then
    per_second: float = 0.0

    def measure(self, seen: Observation, tick_ns: int) -> PacketRate:
        """Return the rate since the last measurement, which lies half a tick back at least."""
        elapsed = seen.now_ns - self.time_ns
        if 2 * elapsed < tick_ns:
            return self
        rate = (seen.seen - self.seen) * SECOND_NS / elapsed
        return PacketRate(seen.now_ns, seen.seen, rate)


@dataclass(frozen=True)
class State:
    """What the policy remembers between two observations."""

    granted: int
    since_ns: int  # when the bucket was last filled
    start_ns: int = 0
    carry: int = 0  # fraction of a token, in keys * ns
    detail: Detail = Detail.HIGH
    generation: int = 0
    low_since_ns: int = 0  # when Low Detail began
    low_epochs: int = 0  # base lengths that have ended since the switch to Low Detail
    calm_ns: int = 0  # length of the latest finished epochs that were calm
    rate: PacketRate = field(default_factory=PacketRate)
    length: Length = field(default_factory=Length)


def start(policy: Policy, now_ns: int, detail: Detail = Detail.HIGH) -> tuple[State, Decision]:
    """Return the first state and decision of a fresh data path: a full bucket."""
    return take_over(policy, Observation(now_ns, 0, Cause.NONE, 0, 0, detail=detail))


def take_over(policy: Policy, seen: Observation) -> tuple[State, Decision]:
    """Return the first state and decision on a data path as it is: detail and trips stay."""
    detail = seen.detail
    if policy.setting is not Setting.AUTO:
        detail = Detail.LOW if policy.setting is Setting.LOW else Detail.HIGH
    state = State(
        granted=seen.spent + policy.burst,
        since_ns=seen.now_ns,
        start_ns=seen.now_ns,
        detail=detail,
        generation=seen.generation,
        low_since_ns=seen.now_ns,
        rate=PacketRate(seen.now_ns, seen.seen),
    )
    return state, _decision(policy, state, detail)


def step(
    policy: Policy, state: State, seen: Observation
) -> tuple[State, Decision, tuple[Entry, ...]]:
    """Take one observation; returns the next state, what to write, and what to log."""
    log: list[Entry] = list(_alarms(seen))
    # A trip is later than the last look; its time may not be written yet when its number is.
    tripped_ns = min(max(seen.trip_ns, state.since_ns), seen.now_ns)
    state = _refill(policy, state, seen)
    if policy.setting is not Setting.AUTO:
        return state, _decision(policy, state), tuple(log)
    if seen.generation != state.generation:
        log.append(_tripped(seen, tripped_ns))
        state = _enter_low(replace(state, generation=seen.generation), tripped_ns)
    state, order = _order(policy, state, seen)
    log += [order] if order else []
    state, changes = _adapt(policy, state, seen)
    log += changes
    return state, _decision(policy, state, order.detail if order else None), tuple(log)


def _decision(policy: Policy, state: State, order: Detail | None = None) -> Decision:
    generation = 0 if order is None else state.generation
    return Decision(state.granted, order, generation, state.length.epoch_ns(policy))


def _refill(policy: Policy, state: State, seen: Observation) -> State:
    """Let tokens drip in, up to a full bucket; a clock that went back adds none."""
    elapsed = max(0, seen.now_ns - state.since_ns)
    tokens, carry = divmod(policy.threshold * elapsed + state.carry, SECOND_NS)
    full = seen.spent + policy.burst_of(state.length.epoch_ns(policy))
    granted = max(state.granted, seen.spent) + tokens
    if granted >= full:
        granted, carry = max(full, state.granted), 0
    return replace(
        state,
        granted=granted,
        carry=carry,
        since_ns=max(state.since_ns, seen.now_ns),
        rate=state.rate.measure(seen, policy.tick_ns),
    )


def _order(policy: Policy, state: State, seen: Observation) -> tuple[State, Switch | None]:
    """Order the other detail where there is reason to."""
    if state.detail is Detail.HIGH:
        switch = overload(policy, seen, state.rate.per_second, state.generation)
        if switch:
            state = _enter_low(state, seen.now_ns)
        return state, switch
    if seen.cardinality is None:
        return state, None
    state = _dwell(policy, state, seen)
    # A whole epoch of calm, or as much of it in shorter ones.
    long_enough = state.calm_ns > policy.epoch_ns - policy.tick_ns
    if not _has_dwelt(policy, state, seen.now_ns) or not long_enough:
        return state, None
    full = max(state.granted, seen.spent + policy.burst)  # short epochs had a shallow bucket
    switch = calm_switch(policy, seen, state.generation)
    return replace(state, detail=Detail.HIGH, granted=full), switch


def _enter_low(state: State, now_ns: int) -> State:
    return replace(state, detail=Detail.LOW, low_since_ns=now_ns, low_epochs=0, calm_ns=0)


# The epoch of the switch counts as the first, so time alone must make one length less.
def _has_dwelt(policy: Policy, state: State, now_ns: int) -> bool:
    least_ns = (policy.dwell_epochs - 1) * policy.epoch_ns
    return state.low_epochs >= policy.dwell_epochs and now_ns - state.low_since_ns >= least_ns


def _dwell(policy: Policy, state: State, seen: Observation) -> State:
    """Count the time spent in Low Detail, and in calm; a false ledger proves nothing."""
    if seen.ledger_difference:
        return replace(state, low_epochs=0, calm_ns=0)
    before = period_of(policy, state.start_ns, seen.begin_ns)
    ended = period_of(policy, state.start_ns, seen.now_ns) > before
    calm = is_calm(policy, seen, shortness(policy, seen))
    calm_ns = state.calm_ns + seen.now_ns - seen.begin_ns if calm else 0
    return replace(state, low_epochs=state.low_epochs + ended, calm_ns=calm_ns)


def _adapt(
    policy: Policy, state: State, seen: Observation
) -> tuple[State, tuple[EpochChange, ...]]:
    if state.detail is Detail.HIGH:
        length, changes = restore(policy, state.length, seen)
    else:
        length, changes = adapt(
            policy,
            state.length,
            seen,
            period=period_of(policy, state.start_ns, seen.now_ns),
            whole=seen.cardinality is not None
            and is_whole(policy, state.start_ns, seen.begin_ns, seen.now_ns),
            # Its keys are few, but too many if every epoch of that length has others.
            doubt=is_calm(policy, seen) and not is_calm(policy, seen, shortness(policy, seen)),
        )
    return (state if length is state.length else replace(state, length=length)), changes


def _tripped(seen: Observation, time_ns: int) -> Switch:
    return Switch(
        time_ns=time_ns,
        detail=Detail.LOW,
        cause="budget spent" if seen.cause is Cause.BUDGET else "exact table full",
        generation=seen.generation,
        values=(("new_keys_spent", float(seen.spent)),),
    )


def _alarms(seen: Observation) -> tuple[Alarm, ...]:
    if not seen.ledger_difference:
        return ()
    values = (("ledger_difference", float(seen.ledger_difference)),)
    return (Alarm(seen.now_ns, "ledger does not balance", values),)
