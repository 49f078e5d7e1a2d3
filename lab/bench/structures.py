"""What a subject counts in: how it is emptied, as an epoch swap would, and what it takes."""

from __future__ import annotations

from typing import Protocol

from lab.libbpf.maps import Map
from simulator.glimpse import prepare


class Structure(Protocol):
    """One or more maps."""

    def clear(self) -> None:
        """Make it as if nothing had been counted."""

    def memory(self) -> int:
        """Return its kernel memory in bytes."""


class Table:
    """A hash map of whatever type."""

    def __init__(self, table: Map) -> None:
        """Take the map."""
        self.map = table

    def clear(self) -> None:
        """Delete all elements, by the batch call that also drains Glimpse's exact tables."""
        self.map.drain()

    def memory(self) -> int:
        """Return the kernel's own account."""
        return self.map.memlock() or 0


class PerCpuArray:
    """A mmapable array with a value for each CPU's use; `cpus` of its values are used."""

    def __init__(self, array: Map, cpus: int) -> None:
        """Map the values into memory."""
        self._cpus = cpus
        self.values = array.memory()

    def clear(self) -> None:
        """Zero it."""
        self.values[:] = 0

    def memory(self) -> int:
        """Return the size of the values that are used, so that unused CPUs cost nothing."""
        return int(self.values[0].nbytes) * self._cpus


class Tfm(PerCpuArray):
    """The TFMs of one epoch buffer."""

    def __init__(self, array: Map, cpus: int, seed: int) -> None:
        """Prepare the first epoch."""
        super().__init__(array, cpus)
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        """Zero it, and set the epoch's secret."""
        prepare(self.values, 0, self._seed)
