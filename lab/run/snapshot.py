"""What a finished epoch told, decoded once: plain values for every reader of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.controller import FinishedEpoch
from lab.run.interface_counters import Drops
from lab.run.keys import text_of
from simulator.estimate import Estimates, estimate, top
from simulator.glimpse import Retired
from simulator.layout import Detail, Key
from simulator.ledger import Ledger
from simulator.observation import Observation
from simulator.policy import SECOND_NS


@dataclass(frozen=True)
class KeyCount:
    """A key's packets in an epoch: between `lower` and `packets`, unless `saturated`."""

    key: str
    packets: int
    lower: int
    saturated: bool

    @property
    def kind(self) -> str:
        """Return `exact`, `estimate`, or `saturated` where there is no upper bound."""
        if self.saturated:
            return "saturated"
        return "exact" if self.packets == self.lower else "estimate"

    def record(self) -> dict[str, Any]:
        """Return it for JSON; `upper` is None where there is no upper bound."""
        return {
            "key": self.key,
            "packets": self.packets,
            "kind": self.kind,
            "lower": self.lower,
            "upper": None if self.saturated else self.packets,
        }


@dataclass(frozen=True)
class Timing:
    """How long the end of an epoch took, in ns."""

    grace_ns: int  # until no CPU could still be writing
    read_ns: int  # everything else: copy, empty, decode, answer
    cpu_ns: int = 0  # what of that this thread was at work


UNKNOWN, UNTIMED = Drops(), Timing(0, 0)


@dataclass(frozen=True)
class Snapshot:
    """A finished epoch."""

    epoch: int
    begin_ns: int
    end_ns: int
    detail: Detail  # at its end
    ledger: Ledger
    observation: Observation  # that the policy had of it
    reliable: bool  # the number of keys lies in its design range
    saturated: int
    evictions: int
    top: tuple[KeyCount, ...]
    queries: tuple[KeyCount, ...]
    drops: Drops = UNKNOWN  # since the start
    timing: Timing = UNTIMED

    @property
    def seconds(self) -> float:
        """Return how long it was."""
        return max(1, self.end_ns - self.begin_ns) / SECOND_NS


def snapshot(
    finished: FinishedEpoch, observation: Observation, *, count: int, queries: NDArray[np.uint64]
) -> Snapshot:
    """Decode an epoch: its `count` top keys and the answers for `queries`, uint64 (n, w)."""
    retired = finished.retired
    headers = retired.headers
    return Snapshot(
        epoch=retired.epoch,
        begin_ns=finished.begin_ns,
        end_ns=finished.end_ns,
        detail=finished.detail,
        ledger=finished.ledger,
        observation=observation,
        reliable=finished.reliable,
        saturated=int(headers["saturated"].sum()),
        evictions=int(headers["evictions"].sum()),
        top=counts(retired.geometry.key, *top(retired, count)) if count else (),
        queries=answers(retired, queries),
    )


def answers(retired: Retired, queries: NDArray[np.uint64]) -> tuple[KeyCount, ...]:
    """Return what an epoch says of `queries`, uint64 (n, w)."""
    if not len(queries):
        return ()
    return counts(retired.geometry.key, queries, estimate(retired, queries))


def counts(key: Key, keys: NDArray[np.uint64], found: Estimates) -> tuple[KeyCount, ...]:
    """Return estimates of `keys` with their names."""
    columns = (found.packets.tolist(), found.lower.tolist(), found.saturated.tolist())
    return tuple(
        KeyCount(text_of(words, key), *values)
        for words, *values in zip(keys, *columns, strict=True)
    )
