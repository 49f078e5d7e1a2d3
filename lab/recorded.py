"""Run recorded observations through the policy again: the decisions must come out identical."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.policy import Decision, Entry, Observation, Policy, step, take_over

Decided = tuple[Decision, tuple[Entry, ...]]


@dataclass(frozen=True)
class Difference:
    """The first place where a replayed run is not the recorded one."""

    number: int  # of the observation, from 0
    time_ns: int
    what: str  # the field of the decision, or `length` where one run is shorter
    recorded: object
    replayed: object

    def __str__(self) -> str:
        """Return the difference in one sentence."""
        return (
            f"observation {self.number} at {self.time_ns} ns: {self.what} "
            f"was {self.recorded}, the policy now decides {self.replayed}"
        )


def replay(policy: Policy, observations: Sequence[Observation]) -> list[Decided]:
    """Return what the policy decides and logs at each observation; the first one is the start."""
    decided: list[Decided] = []
    if not observations:
        return decided
    state, decision = take_over(policy, observations[0])
    decided.append((decision, ()))
    for seen in observations[1:]:
        state, decision, log = step(policy, state, seen)
        decided.append((decision, log))
    return decided


def first_difference(
    policy: Policy, observations: Sequence[Observation], recorded: Sequence[Decision]
) -> Difference | None:
    """Replay a run and return where it first decides otherwise; None where all is identical."""
    replayed = [decision for decision, _ in replay(policy, observations)]
    for number, (was, now) in enumerate(zip(recorded, replayed, strict=False)):
        for name, value in was.as_row().items():
            if value != now.as_row()[name]:
                time_ns = observations[number].now_ns
                return Difference(number, time_ns, name, value, now.as_row()[name])
    if len(recorded) == len(replayed):
        return None
    shorter = min(len(recorded), len(replayed))
    time_ns = observations[shorter].now_ns if shorter < len(observations) else 0
    return Difference(shorter, time_ns, "length", len(recorded), len(replayed))
