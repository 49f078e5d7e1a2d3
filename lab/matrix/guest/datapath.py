"""glimpse as a test drives it, without the twin: what the twin would do is stored beside it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab import loader
from lab.build import Build
from lab.libbpf import probe
from lab.libbpf._ffi import binding
from lab.libbpf.barrier import Barrier
from lab.libbpf.program import Program

# Places of the control fields, in 64-bit words (bpf/include/glimpse.h, struct glimpse_control).
DETAIL, BUDGET, ACTIVE, CLOCK, INSTANCE = range(5)
TRIP, TRIP_NS, SPENT = range(8, 11)
BUFFERS = 2

U64 = NDArray[np.uint64]


class Retired(NamedTuple):
    """What a finished epoch left."""

    tfms: NDArray[np.uint8]  # (instances, value_size)
    keys: NDArray[np.uint8]  # (n, key_size), sorted
    records: U64  # (n, 4): packets, bytes, first_ns, last_ns


class GuestDatapath:
    """glimpse, loaded; closed with `stack`."""

    def __init__(
        self,
        folder: Path,
        test: dict[str, Any],
        stack: ExitStack,
        heads: U64,
        *,
        live: bool = False,
    ) -> None:
        """Load the object; `heads`, u64 (epochs, words), are the TFM headers of unused epochs.

        `live` counts on every CPU, and waits at a swap for those that still write.
        """
        config, sizes = dict(test["knobs"]["config"]), dict(test["map_sizes"])
        if live:
            config["instances"] = _cpus()
            sizes["tfm"] = {**sizes["tfm"], "max_entries": BUFFERS * config["instances"]}
        knobs: dict[str, Any] = {
            "config": config,
            "frame_helpers": int(probe.helper("bpf_xdp_get_buff_len")),
        }
        loaded = stack.enter_context(
            loader.load(
                Build(test["object"], folder / test["object_file"]),
                "glimpse",
                knobs=knobs,
                map_sizes=sizes,
            )
        )
        self.program: Program = loaded.require()
        self.maps = loaded.maps
        self.control: U64 = self.maps["control"].memory().view(np.uint64)[0]
        self.instances: int = config["instances"]
        self._tfms = self.maps["tfm"].memory()
        self._heads = heads
        self._barrier = stack.enter_context(Barrier()) if live else None
        for epoch in range(BUFFERS):
            self._prepare(epoch)

    def side(self, epoch: int) -> NDArray[np.uint8]:
        """Return the TFMs of an epoch, as they are."""
        first = epoch % BUFFERS * self.instances
        return self._tfms[first : first + self.instances]

    def swap_epoch(self) -> Retired:
        """Begin the next epoch: flip, wait for the last writers, read, empty, hand back."""
        epoch = int(self.control[ACTIVE])
        self.control[ACTIVE] = epoch + 1
        if self._barrier:
            self._barrier.wait()
        entries = self.maps[f"exact_{epoch % BUFFERS}"].drain()
        keys, values = np.ascontiguousarray(entries.keys), np.ascontiguousarray(entries.values)
        order = np.lexsort(keys.T[::-1])
        retired = Retired(
            self.side(epoch).copy(), keys[order], values.view(np.uint64).reshape(-1, 4)[order]
        )
        self._prepare(epoch + BUFFERS)
        return retired

    def _prepare(self, epoch: int) -> None:
        side = self.side(epoch)
        side[:] = 0
        head = self._heads[min(epoch, len(self._heads) - 1)]
        side.view(np.uint64)[:, : len(head)] = head


def _cpus() -> int:
    b = binding()
    return b.check(b.lib.libbpf_num_possible_cpus(), "number of possible CPUs")
