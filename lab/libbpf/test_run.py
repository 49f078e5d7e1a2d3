"""Run a program on very many packed frames: one compiled loop around BPF_PROG_TEST_RUN."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lab.errors import EnvironmentProblem
from lab.libbpf.program import Program

if TYPE_CHECKING:
    from simulator.frames import Frames

_SYSCALLS = {"x86_64": 321, "aarch64": 280}  # of bpf()

U64 = NDArray[np.uint64]


@dataclass(frozen=True)
class RunResult:
    """What came of n frames; on failure `done` is the index of the frame that was refused."""

    done: int
    errno: int  # 0: all ran
    retvals: NDArray[np.uint32]  # (done,) verdicts


def run_frames(
    program: Program,
    frames: Frames,
    *,
    clocks: U64 | None = None,
    clock_cell: U64 | None = None,
    instances: U64 | None = None,
    instance_cell: U64 | None = None,
) -> RunResult:
    """Run every frame, zero-padded to its original length, in order.

    Before frame i, `clocks[i]` is stored in `clock_cell[0]` and `instances[i]` in
    `instance_cell[0]`: views of one u64 each into an mmapped map. What is not given is not stored.
    """
    from lab.libbpf import _test_run_loop as loop

    count = len(frames)
    retvals = np.zeros(count, np.uint32)
    frame = np.zeros(max(int(frames.lengths.max(initial=0)), 1), np.uint8)
    attr = np.zeros(loop.ATTR_WORDS + 1, np.uint32)
    attr[loop.FD], attr[loop.REPEAT] = program.fd, 1
    attr[loop.DATA_IN : loop.DATA_IN + 2].view(np.uint64)[0] = frame.ctypes.data
    done = loop.run(
        _syscall_number(),
        attr,
        attr.ctypes.data,
        frames.data,
        frames.offsets,
        frames.captured,
        frames.lengths,
        frame,
        *_stores(clocks, clock_cell, count),
        *_stores(instances, instance_cell, count),
        retvals,
    )
    return RunResult(done, int(attr[loop.ERRNO]), retvals[:done])


# A column that is not stored goes to a cell that nobody reads.
def _stores(column: U64 | None, cell: U64 | None, count: int) -> tuple[U64, U64]:
    if (column is None) != (cell is None):
        raise ValueError("a column of values and the cell they go to belong together")
    if column is None or cell is None:
        return np.zeros(0, np.uint64), np.zeros(1, np.uint64)
    if len(column) != count:
        raise ValueError(f"{len(column)} values for {count} frames")
    return np.ascontiguousarray(column, np.uint64), cell


def _syscall_number() -> int:
    machine = platform.machine()
    if machine not in _SYSCALLS:
        known = ", ".join(_SYSCALLS)
        raise EnvironmentProblem(f"test runs in bulk are not built for {machine}, only for {known}")
    return _SYSCALLS[machine]
