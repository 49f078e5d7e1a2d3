"""The data path as user space sees it: one protocol, two engines behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.layout import CONTROL, Detail, Hash, Setting

if TYPE_CHECKING:
    from simulator.frames import Frames
    from simulator.geometry import Geometry
    from simulator.glance import Glance
    from simulator.glimpse import Glimpse, Retired
    from simulator.parsing import Parsed


@dataclass(frozen=True)
class DatapathSettings:
    """What is fixed when a data path is made."""

    geometry: Geometry
    exact_entries: int
    setting: Setting = Setting.AUTO
    hash: Hash = Hash.MURMUR3
    seed: int = 0


@dataclass(frozen=True)
class Batch:
    """n packets that no control change separates."""

    frames: Frames
    parsed: Parsed
    clocks: NDArray[np.uint64]  # (n,) ns, never 0
    instances: NDArray[np.uint64]  # (n,) instance + 1

    def __len__(self) -> int:
        """Return the number of packets."""
        return len(self.clocks)

    def slice(self, start: int, stop: int) -> Batch:
        """Return packets [start, stop); nothing is copied."""
        return Batch(
            self.frames.slice(start, stop),
            self.parsed.slice(start, stop),
            self.clocks[start:stop],
            self.instances[start:stop],
        )


class Datapath(Protocol):
    """What the controller, replay, fuzz and the live view may do to a data path."""

    @property
    def engine(self) -> str:
        """Return what runs it: `kernel` or `simulator`."""

    @property
    def settings(self) -> DatapathSettings:
        """Return what the data path was made with."""

    @property
    def live(self) -> bool:
        """Say whether packets come by themselves, while user space does something else."""

    def control(self) -> np.void:
        """Return a copy of the control fields, one CONTROL record."""

    def glance(self) -> Glance:
        """Look at the running epoch, without ending it; cheap enough for every tick."""

    def order(self, detail: Detail, generation: int) -> None:
        """Order a detail, naming the trip generation that the order knows of."""

    def grant(self, budget: int) -> None:
        """Set how many new keys may be recorded in all, since the start."""

    def swap_epoch(self) -> Retired:
        """Begin the next epoch; returns all that the finished one left."""

    def feed(self, batch: Batch) -> None:
        """Run packets through the data path."""


def effective_detail(control: np.void, setting: Setting) -> Detail:
    """Return the detail that holds now: the kernel's own rule (glimpse.bpf.c, is_low)."""
    if setting is not Setting.AUTO:
        return Detail.LOW if setting is Setting.LOW else Detail.HIGH
    ordered, named = int(control["detail"]) & 0xFF, int(control["detail"]) >> 8
    low = ordered == Detail.LOW or named != int(control["trip"]) >> 8
    return Detail.LOW if low else Detail.HIGH


def order_word(detail: Detail, generation: int) -> int:
    """Return the control word of an order."""
    return generation << 8 | detail


class SimulatorDatapath:
    """The twin, as a data path."""

    engine = "simulator"

    def __init__(self, settings: DatapathSettings, *, live: bool = False) -> None:
        """Start in epoch 0; `live` if the test that feeds it does not wait for the controller."""
        from simulator.glimpse import Glimpse

        self.settings, self.live = settings, live
        self._twin: Glimpse = Glimpse(
            settings.geometry,
            exact_entries=settings.exact_entries,
            setting=settings.setting,
            hash=settings.hash,
            seed=settings.seed,
        )

    def control(self) -> np.void:
        """Return a copy of the control fields."""
        record: np.void = self._twin.control.copy().view(CONTROL)[0]
        return record

    def glance(self) -> Glance:
        """Look at the running epoch."""
        from simulator.glance import live_side, look
        from simulator.glimpse import ACTIVE

        epoch, shape = int(self._twin.control[ACTIVE]), self.settings.geometry
        return look(live_side(self._twin.tfms, epoch, shape), epoch, shape, self.settings.hash)

    def order(self, detail: Detail, generation: int) -> None:
        """Order a detail."""
        self._twin.order(order_word(detail, generation))

    def grant(self, budget: int) -> None:
        """Set the cumulative budget."""
        self._twin.grant(budget)

    def swap_epoch(self) -> Retired:
        """Begin the next epoch."""
        return self._twin.swap_epoch()

    def feed(self, batch: Batch) -> None:
        """Run packets through the twin."""
        self._twin.feed(batch.parsed, batch.clocks, batch.instances)
