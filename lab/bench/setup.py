"""What all cases of a run have in common."""

from __future__ import annotations

from dataclasses import dataclass

from lab.datapath import DatapathSettings
from simulator import geometry
from simulator.geometry import EPOCH_BUFFERS
from simulator.layout import CONTROL, Key, Setting

SPARE = 256  # entries per CPU: an LRU map evicts before it is full, by its CPUs' free lists


@dataclass(frozen=True)
class Setup:
    """Key, CPUs and sizes."""

    key: Key
    cpus: tuple[int, ...]
    tfm_bytes: int  # of one TFM, and of one grid of the plain sketches
    one_in: int  # of the sampling subject
    seed: int

    @property
    def instances(self) -> int:
        """Return how many values a per-CPU array needs: CPU numbers are its indices."""
        return max(self.cpus) + 1

    def room(self, keys: int) -> int:
        """Return the entries of a hash map that holds every key."""
        return keys + SPARE * self.instances

    def glimpse(self, exact_entries: int = 1, setting: Setting = Setting.LOW) -> DatapathSettings:
        """Return Glimpse's settings, with TFMs of `tfm_bytes` or a few bytes less."""
        memory = EPOCH_BUFFERS * self.instances * self.tfm_bytes + CONTROL.itemsize
        shape = geometry.for_memory(memory, self.key, self.instances)
        return DatapathSettings(shape, exact_entries, setting, seed=self.seed)
