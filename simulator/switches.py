"""What a run's log holds: changes of detail, changes of the epoch's length, and alarms."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.layout import Detail

Values = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Switch:
    """One change of detail: a trip of the kernel, or an order of user space."""

    time_ns: int
    detail: Detail
    cause: str
    generation: int
    values: Values = ()


@dataclass(frozen=True)
class EpochChange:
    """One change of the length of epochs."""

    time_ns: int
    epoch_ns: int  # from now on
    cause: str
    values: Values = ()


@dataclass(frozen=True)
class Alarm:
    """Something that must never happen."""

    time_ns: int
    cause: str
    values: Values = ()


Entry = Switch | EpochChange | Alarm
