"""The adaptive policy, pure: (state, observation) -> (state, decision).

The kernel goes to Low Detail by itself, within the packet that meets a limit. The policy decides
how much the kernel may spend before it does (a token bucket of new keys), and when to return.
`lab/controller.py` runs it unchanged on both engines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.layout import Cause, Detail

SECOND_NS = 1_000_000_000
THRESHOLD = 10_000  # new keys per second
EPOCH_NS = SECOND_NS
TICK_NS = SECOND_NS // 10
DWELL_EPOCHS = 2  # finished epochs in Low Detail before a return is considered
RETURN_SHARE = 0.5  # hysteresis: return below this share of what would trip


@dataclass(frozen=True)
class Policy:
    """The settings of a run."""

    threshold: int = THRESHOLD  # new keys per second
    epoch_ns: int = EPOCH_NS
    tick_ns: int = TICK_NS
    exact_entries: int = 16384
    dwell_epochs: int = DWELL_EPOCHS

    def __post_init__(self) -> None:
        """Refuse settings that no run could have."""
        if min(self.threshold, self.tick_ns, self.exact_entries, self.dwell_epochs) < 1:
            raise ValueError("threshold, tick, exact entries and dwell must be positive")
        if self.epoch_ns < self.tick_ns:
            raise ValueError("an epoch must be at least one tick long")

    @property
    def burst(self) -> int:
        """Return the depth of the token bucket, in new keys: a whole epoch's worth.

        So a steady set of keys, new again after every epoch swap, does not trip.
        """
        return max(1, self.threshold * self.epoch_ns // SECOND_NS)

    @property
    def return_below(self) -> float:
        """Return the keys per epoch below which High Detail is safe again."""
        return RETURN_SHARE * min(self.burst, self.exact_entries)


@dataclass(frozen=True)
class Observation:
    """What user space sees at a tick; the last field only where an epoch has just finished."""

    now_ns: int
    generation: int  # trips so far
    cause: Cause  # of the latest trip
    trip_ns: int
    spent: int  # new keys so far
    cardinality: float | None = None  # of the finished epoch


@dataclass(frozen=True)
class Decision:
    """What user space writes: the new-key budget, and the order of a detail, if any."""

    budget: int
    detail: Detail | None = None
    generation: int = 0  # the trip that the order knows of


@dataclass(frozen=True)
class Switch:
    """One change of detail, for the log."""

    time_ns: int
    detail: Detail
    cause: str
    generation: int
    values: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class State:
    """What the policy remembers between two observations."""

    granted: int
    since_ns: int  # when the bucket was last filled
    carry: int = 0  # fraction of a token, in keys * ns
    detail: Detail = Detail.HIGH
    generation: int = 0
    low_epochs: int = 0  # finished epochs since the switch to Low Detail


def start(policy: Policy, now_ns: int, detail: Detail = Detail.HIGH) -> tuple[State, Decision]:
    """Return the first state and decision: a full bucket."""
    state = State(granted=policy.burst, since_ns=now_ns, detail=detail)
    return state, Decision(budget=policy.burst, detail=detail)


def step(
    policy: Policy, state: State, seen: Observation
) -> tuple[State, Decision, tuple[Switch, ...]]:
    """Take one observation; returns the next state, what to write, and the switches to log."""
    switches: list[Switch] = []
    state = _refill(policy, state, seen)
    if seen.generation != state.generation:
        switches.append(_tripped(seen))
        state = replace(state, detail=Detail.LOW, generation=seen.generation, low_epochs=0)
    if seen.cardinality is None or state.detail is Detail.HIGH:
        return state, Decision(state.granted), tuple(switches)
    state = replace(state, low_epochs=state.low_epochs + 1)
    if state.low_epochs < policy.dwell_epochs or seen.cardinality >= policy.return_below:
        return state, Decision(state.granted), tuple(switches)
    switches.append(_calm(policy, state, seen))
    state = replace(state, detail=Detail.HIGH)
    return state, Decision(state.granted, Detail.HIGH, state.generation), tuple(switches)


def _refill(policy: Policy, state: State, seen: Observation) -> State:
    """Let tokens drip in, up to a full bucket; a clock that went back adds none."""
    elapsed = max(0, seen.now_ns - state.since_ns)
    tokens, carry = divmod(policy.threshold * elapsed + state.carry, SECOND_NS)
    full = seen.spent + policy.burst
    granted = max(state.granted, seen.spent) + tokens
    if granted >= full:
        granted, carry = full, 0
    return replace(state, granted=granted, carry=carry, since_ns=seen.now_ns)


def _tripped(seen: Observation) -> Switch:
    return Switch(
        time_ns=seen.trip_ns,
        detail=Detail.LOW,
        cause="budget spent" if seen.cause is Cause.BUDGET else "exact table full",
        generation=seen.generation,
        values=(("new_keys_spent", float(seen.spent)),),
    )


def _calm(policy: Policy, state: State, seen: Observation) -> Switch:
    cardinality = seen.cardinality if seen.cardinality is not None else 0.0
    return Switch(
        time_ns=seen.now_ns,
        detail=Detail.HIGH,
        cause="calm",
        generation=state.generation,
        values=(("cardinality", cardinality), ("return_below", policy.return_below)),
    )
