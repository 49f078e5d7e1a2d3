"""Whole programs on whole packets: parser, accounts and update, minus a program that passes on."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from lab import build, loader
from lab.bench.kernel_lane import LEAST_PACKETS
from lab.bench.lane import Facts, Lane
from lab.bench.pinned import on_each
from lab.bench.setup import Setup
from lab.bench.streams import KeyStream
from lab.bench.structures import PerCpuArray, Structure, Table, Tfm
from lab.bench.suite import Subject, Suite
from lab.errors import LabError
from lab.kernel_datapath import knobs as glimpse_knobs
from lab.kernel_datapath import map_sizes as glimpse_map_sizes
from lab.libbpf.timed_run import TimedRun
from lab.loader import Loaded
from simulator.layout import Setting, Verdict
from simulator.traffic import frames_for

PASS = "pass"
# Packets a test run. It reports whole ns per packet, so several runs are averaged; but each begins
# with a grace period of up to 30 ms, because the kernel patches its XDP dispatcher.
REPEAT = 1 << 15
FRAME = 64  # bytes
_SLOT = struct.pack("=I", 0)
_GRID_ROWS = 4


class PacketCase:
    """The driver program with a stream's source addresses; the frame is the same for all."""

    def __init__(self, setup: Setup, stream: KeyStream, stack: ExitStack) -> None:
        """Load the driver."""
        self.setup, self.stream, self._stack = setup, stream, stack
        keys = np.concatenate([stream.population, stream.keys])
        self._start, self._stop = len(stream.population), len(keys)
        driver = self.load("bench_packets", "bench_packets", map_sizes={"bench_sources": len(keys)})
        self._driver, self._target = driver.program, driver.maps["bench_target"]
        sources = driver.maps["bench_sources"].memory().view(np.uint32)
        sources[:, 0] = keys[:, 1] >> np.uint64(32)  # the last 4 bytes of ::ffff:a.b.c.d
        self._position = driver.maps["bench_position"].memory().view(np.uint64)[0]
        frame = frames_for(keys[:1, : setup.key.words]).frame(0).ljust(FRAME, b"\0")
        self._frame = np.frombuffer(frame, np.uint64).copy()

    def load(self, stem: str, program: str, **options: Any) -> Loaded:
        """Load a program, to be closed with the case."""
        loaded = self._stack.enter_context(loader.load(build.object_path(stem), program, **options))
        loaded.require()
        return loaded

    def feed(self, loaded: Loaded, *, warm_up: bool) -> float:
        """Run a program on every packet of the stream; returns ns per packet."""
        begin = 0 if warm_up else self._start
        self._target.update(_SLOT, struct.pack("=I", loaded.program.fd))
        self._position[0] = begin
        run, total = TimedRun(self._driver, self._frame), 0
        step = self._stop if warm_up else REPEAT
        for at in range(begin, self._stop, step):
            count = min(step, self._stop - at)
            total += run(count) * count
        if self._position[0] != self._stop:
            raise LabError(f"{self._position[0] - begin} of {self._stop - begin} packets were run")
        return total / (self._stop - begin)


class PacketLane:
    """One program of one case."""

    def __init__(self, case: PacketCase, loaded: Loaded, structures: Sequence[Structure]) -> None:
        """Take it as it was loaded."""
        self.case, self.loaded, self.structures = case, loaded, structures
        stats = loaded.attempt.stats
        self.facts = Facts(
            stats.instructions if stats else None,
            loaded.program.info().jited_size,
            sum(structure.memory() for structure in structures),
        )

    def measure(self) -> float:
        """Return ns per packet."""
        rounds = -(-LEAST_PACKETS // len(self.case.stream.keys))
        return sum(self.once() for _ in range(rounds)) / rounds

    def once(self) -> float:
        """Empty it, warm it up unless every key is to be new, run the stream; ns per packet."""
        return on_each(self.case.setup.cpus[:1], self._once)[0]

    def _once(self, _: int) -> float:
        for structure in self.structures:
            structure.clear()
        if not self.case.stream.fresh:
            self.case.feed(self.loaded, warm_up=True)
        return self.case.feed(self.loaded, warm_up=False)


def _pass(case: PacketCase) -> PacketLane:
    return PacketLane(case, case.load("bench_packets", "bench_pass"), [])


def _baseline(case: PacketCase) -> PacketLane:
    room = case.setup.room(case.stream.n_keys)
    loaded = case.load(
        f"baseline_{case.setup.key.name}",
        "baseline",
        knobs=_frame_knobs(case.setup),
        map_sizes={"baseline_counts": room},
    )
    return PacketLane(case, loaded, [Table(loaded.maps["baseline_counts"])])


def _count_min(case: PacketCase) -> PacketLane:
    width = case.setup.tfm_bytes // (_GRID_ROWS * 4)
    loaded = case.load(
        f"count_min_{case.setup.key.name}",
        "count_min",
        knobs={
            **_frame_knobs(case.setup),
            "count_min_rows": _GRID_ROWS,
            "count_min_width": width,
        },
        map_sizes={"count_min_grid": {"value_size": _GRID_ROWS * width * 4}},
    )
    return PacketLane(case, loaded, [PerCpuArray(loaded.maps["count_min_grid"], 1)])


def _glimpse(setting: Setting) -> Callable[[PacketCase], PacketLane]:
    def lane(case: PacketCase) -> PacketLane:
        exact = case.setup.room(case.stream.n_keys) if setting is Setting.HIGH else 1
        settings = case.setup.glimpse(exact, setting)
        loaded = case.load(
            f"glimpse_{case.setup.key.name}",
            "glimpse",
            knobs=glimpse_knobs(settings, Verdict.PASS),
            map_sizes=glimpse_map_sizes(settings),
        )
        tfm = Tfm(loaded.maps["tfm"], len(case.setup.cpus), case.setup.seed)
        exact_table = Table(loaded.maps["exact_0"])
        return PacketLane(case, loaded, [tfm, exact_table])

    return lane


# Whether the parser may use the helpers for long frames.
def _frame_knobs(setup: Setup) -> dict[str, Any]:
    return {"frame_helpers": glimpse_knobs(setup.glimpse(), Verdict.PASS)["frame_helpers"]}


_OPEN: dict[str, Callable[[PacketCase], PacketLane]] = {
    PASS: _pass,
    "baseline": _baseline,
    "count_min": _count_min,
    "glimpse_high": _glimpse(Setting.HIGH),
    "glimpse_low": _glimpse(Setting.LOW),
}
_MEANINGS = {
    "baseline": "exact counts in a hash map",
    "count_min": "plain count-min, one grid for all CPUs, atomic",
    "glimpse_high": "Glimpse, High Detail forced",
    "glimpse_low": "Glimpse, Low Detail forced",
}


def open_lanes(
    setup: Setup, stream: KeyStream, names: Sequence[str], stack: ExitStack
) -> dict[str, PacketLane]:
    """Load what a case needs; closed with `stack`."""
    case = PacketCase(setup, stream, stack)
    return {name: _OPEN[name](case) for name in names}


def _open(
    setup: Setup, stream: KeyStream, names: Sequence[str], stack: ExitStack
) -> dict[str, Lane]:
    return dict(open_lanes(setup, stream, names, stack))


PROGRAMS = Suite(
    "programs",
    {name: Subject(name, meaning, PASS, "program") for name, meaning in _MEANINGS.items()},
    reference="baseline",
    open=_open,
)
