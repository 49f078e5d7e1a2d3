"""Rounds of frames and control changes, against every byte that the twin left of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from lab.libbpf.frame_run import FrameRun
from lab.matrix.guest.datapath import BUDGET, CLOCK, DETAIL, INSTANCE, GuestDatapath
from lab.matrix.guest.testing import Outcome


def run(folder: Path, test: dict[str, Any]) -> Outcome:
    """Do the steps of one stored round, and compare at each epoch swap."""
    outcome = Outcome(facts={"frames": test["frames"]})
    with ExitStack() as stack:
        stored = np.load(folder / test["file"])
        path = GuestDatapath(folder, test, stack, stored["heads"])
        _Round(path, stored, outcome).run(test["steps"][test["frames"]])
    return outcome


class _Round:
    def __init__(self, path: GuestDatapath, stored: Any, outcome: Outcome) -> None:
        self._path, self._stored, self._outcome = path, stored, outcome
        self._run = FrameRun(path.program)
        self._data, self._ends = stored["data"].tobytes(), stored["ends"].tolist()
        self._clocks, self._instances = stored["clocks"].tolist(), stored["instances"].tolist()
        self._swaps = 0

    def run(self, steps: list[list[Any]]) -> None:
        for kind, *values in steps:
            if kind == "feed":
                self._feed(*values)
            elif kind == "swap":
                self._swap()
            else:
                self._path.control[{"budget": BUDGET, "detail": DETAIL}[kind]] = values[0]

    def _feed(self, first: int, stop: int) -> None:
        control = self._path.control
        for i in range(first, stop):
            control[CLOCK], control[INSTANCE] = self._clocks[i], self._instances[i]
            start = self._ends[i - 1] if i else 0
            self._run(self._data[start : self._ends[i]])
        self._outcome.packets += stop - first

    def _swap(self) -> None:
        control = self._path.control.copy()
        retired = self._path.swap_epoch()
        self._equal("control", control)
        self._equal("tfms", retired.tfms)
        self._equal("exact_keys", retired.keys)
        self._equal("exact_records", retired.records)
        self._swaps += 1

    def _equal(self, what: str, found: Any) -> None:
        mine = np.frombuffer(np.ascontiguousarray(found).tobytes(), np.uint8)
        wanted = np.frombuffer(self._stored[f"{what}_{self._swaps}"].tobytes(), np.uint8)
        self._outcome.bytes += len(wanted)
        where = f"epoch {self._swaps}: {what}"
        if len(mine) != len(wanted):
            self._outcome.differ(f"{where}: {len(mine)} bytes, not {len(wanted)}")
            return
        different = np.flatnonzero(mine != wanted)
        if len(different):
            self._outcome.differ(f"{where} differ first at byte {different[0]}", len(different))
