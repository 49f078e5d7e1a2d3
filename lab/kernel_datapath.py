"""The data path in the kernel: glimpse.bpf.c loaded, its control fields and buffers mapped."""

from __future__ import annotations

import os
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from lab import build, loader
from lab.datapath import Batch, DatapathSettings, order_word
from lab.errors import LabError
from lab.libbpf import probe
from lab.libbpf.barrier import Barrier
from lab.libbpf.maps import Map
from lab.libbpf.program import Program
from lab.libbpf.test_run import run_frames
from simulator.geometry import EPOCH_BUFFERS
from simulator.glance import Glance, live_side, look
from simulator.glimpse import ACTIVE, BUDGET, CLOCK, DETAIL, INSTANCE, Retired, prepare
from simulator.layout import CONTROL, Detail, Verdict


class KernelDatapath:
    """glimpse, loaded; a context manager. Attach `program`, or `feed` it through test runs.

    With `live` an epoch swap waits until no CPU can still be writing to the retired side. Test
    runs are over when they return, so a replay need not wait.
    """

    engine = "kernel"

    def __init__(
        self,
        settings: DatapathSettings,
        stack: ExitStack,
        *,
        live: bool = False,
        verdict: Verdict = Verdict.PASS,
        source: os.PathLike[str] | None = None,
    ) -> None:
        """Load the program; everything is closed with `stack`. `source` is another object file."""
        self.settings, self.live = settings, live
        path = source or build.object_path(f"glimpse_{settings.geometry.key.name}")
        loaded = loader.load(
            path,
            program="glimpse",
            knobs=knobs(settings, verdict),
            map_sizes=map_sizes(settings),
        )
        stack.enter_context(loaded)
        loaded.require()
        self.program: Program = loaded.program
        self.maps: dict[str, Map] = loaded.maps
        self._barrier = stack.enter_context(Barrier()) if live else None
        self._control = self.maps["control"].memory().view(np.uint64)[0]
        self._tfms = self.maps["tfm"].memory()
        for epoch in range(EPOCH_BUFFERS):
            self._prepare(epoch)

    def control(self) -> np.void:
        """Return a copy of the control fields."""
        copy: np.void = self._control.copy().view(CONTROL)[0]
        return copy

    def glance(self) -> Glance:
        """Look at the running epoch, through the mapped memory."""
        epoch, shape = int(self._control[ACTIVE]), self.settings.geometry
        return look(self._side(epoch), epoch, shape, self.settings.hash)

    def order(self, detail: Detail, generation: int) -> None:
        """Order a detail; one 8-byte store."""
        self._control[DETAIL] = order_word(detail, generation)

    def grant(self, budget: int) -> None:
        """Set the cumulative budget; one 8-byte store."""
        self._control[BUDGET] = budget

    def swap_epoch(self) -> Retired:
        """Begin the next epoch: flip, wait for the last writers, read, empty, hand back."""
        epoch = int(self._control[ACTIVE])
        self._control[ACTIVE] = epoch + 1
        if self._barrier:
            self._barrier.wait()
        exact = self.maps[f"exact_{epoch % EPOCH_BUFFERS}"].drain()
        words = self.settings.geometry.key.words
        retired = Retired(
            epoch,
            self.settings.geometry,
            self.settings.hash,
            self._side(epoch).copy(),
            np.ascontiguousarray(exact.keys).view(np.uint64).reshape(-1, words),
            np.ascontiguousarray(exact.values).view(np.uint64).reshape(-1, 4),
        )
        self._prepare(epoch + EPOCH_BUFFERS)
        return retired

    def feed(self, batch: Batch) -> None:
        """Run packets through the program by BPF_PROG_TEST_RUN."""
        result = run_frames(
            self.program,
            batch.frames,
            clocks=batch.clocks,
            clock_cell=self._control[CLOCK : CLOCK + 1],
            instances=batch.instances,
            instance_cell=self._control[INSTANCE : INSTANCE + 1],
        )
        if result.errno:
            raise LabError(
                f"test run refused frame {result.done} of a batch "
                f"({batch.frames.lengths[result.done]} bytes): {os.strerror(result.errno)}"
            )

    def memlock(self) -> dict[str, int]:
        """Return the kernel's own account of each map, in bytes."""
        return {name: m.memlock() or 0 for name, m in self.maps.items()}

    def _side(self, epoch: int) -> NDArray[np.uint8]:
        return live_side(self._tfms, epoch, self.settings.geometry)

    def _prepare(self, epoch: int) -> None:
        prepare(self._side(epoch), epoch, self.settings.seed)


def knobs(settings: DatapathSettings, verdict: Verdict) -> dict[str, int | dict[str, int]]:
    """Return the .rodata of glimpse.bpf.c for these settings on this kernel."""
    shape = settings.geometry
    return {
        "frame_helpers": int(probe.helper("bpf_xdp_get_buff_len")),
        "config": {
            "setting": int(settings.setting),
            "verdict": int(verdict),
            "hash": int(settings.hash),
            "instances": shape.instances,
            "buckets": shape.buckets,
            "rows": shape.rows,
            "width": shape.width,
            "groups": shape.groups,
        },
    }


def map_sizes(settings: DatapathSettings) -> dict[str, int | dict[str, int]]:
    """Return the sizes of the maps whose size is not in the source."""
    shape = settings.geometry
    return {
        "tfm": {"max_entries": shape.tfms, "value_size": shape.value_size},
        "exact_0": settings.exact_entries,
        "exact_1": settings.exact_entries,
    }
