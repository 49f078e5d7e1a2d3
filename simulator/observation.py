"""What user space sees at a tick, and what it writes then: flat records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from simulator.layout import Cause, Detail
from simulator.rows import Row

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Observation(Row):
    """A look at the data path, at a tick or where an epoch ends.

    Where an epoch has just ended, everything describes that epoch, and the fields marked (end) are
    there; at all other times they are None or 0.
    """

    ENUMS: ClassVar[dict[str, type[IntEnum]]] = {"cause": Cause, "detail": Detail}

    now_ns: int
    generation: int  # trips so far
    cause: Cause  # of the latest trip
    trip_ns: int
    spent: int  # new keys that drew on the budget, since the start
    cardinality: float | None = None  # (end) distinct keys; infinite where there may be any number
    cardinality_error: float = 0.0  # (end) its relative standard error
    ledger_difference: int | None = None  # (end) packets and bytes that are in one account only
    detail: Detail = Detail.HIGH  # that holds
    begin_ns: int = 0  # when the epoch began
    seen: int = 0  # packets since the start
    packets: int = 0  # of the epoch so far, all instances
    new_keys: int = 0  # of the epoch so far: of the exact table, and first met by light parts
    occupancy: float = 0.0  # of the active exact table, 0 to 1
    fill: float = 0.0  # share of light counters in use
    error: float | None = None  # mean packets answered to phantom keys; None: not measured


@dataclass(frozen=True)
class Decision(Row):
    """What user space writes: the new-key budget, the epoch's length, and an order, if any."""

    ENUMS: ClassVar[dict[str, type[IntEnum]]] = {"detail": Detail}

    budget: int  # new keys granted since the start
    detail: Detail | None = None
    generation: int = 0  # the trip that the order knows of
    epoch_ns: int = 0  # length of the running epoch, and of the next
