"""What a run leaves, whichever engine ran it: plain facts, scored when the traffic is over."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.controller import FinishedEpoch
from lab.datapath import DatapathSettings
from simulator.layout import Detail
from simulator.policy import Entry, Policy, Switch


@dataclass(frozen=True)
class Sample:
    """A look at the data path, once per tick."""

    time_ns: int
    phase: int
    seen: int  # packets since the start
    detail: Detail


@dataclass(frozen=True)
class PhaseEpoch:
    """A finished epoch and the number of its phase."""

    phase: int
    finished: FinishedEpoch

    @property
    def seen(self) -> int:
        """Return the packets that the data path saw in it."""
        return int(self.finished.retired.headers["seen"].sum())


@dataclass(frozen=True)
class Offered:
    """The traffic of one phase, as those who sent it and the interfaces tell."""

    packets: int
    dropped: int  # before XDP
    seconds: float  # from the first packet to the last


@dataclass
class Recording:
    """All of a run; it may end early."""

    engine: str
    settings: DatapathSettings
    policy: Policy
    start_ns: int = 0
    epochs: list[PhaseEpoch] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    offered: list[Offered] = field(default_factory=list)  # one per phase that began
    switches: list[Switch] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)
    stopped_by: int | None = None  # the signal that ended it early

    @property
    def seen(self) -> int:
        """Return the packets of all finished epochs."""
        return sum(epoch.seen for epoch in self.epochs)

    def seen_in(self, phase: int) -> int:
        """Return the packets of a phase's finished epochs."""
        return sum(epoch.seen for epoch in self.epochs if epoch.phase == phase)
