"""The flight recorder's BCC program: compiled, loaded, attached, and asked for what it counted."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import platform
import secrets
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from verifier_diary import bcc_capture, recorder_events, recorder_setup
from verifier_diary.kernel_offsets import Offsets, Way, offsets
from verifier_diary.recorder_setup import RecorderUnavailable
from verifier_diary.stderr_tap import tapped

SOURCE = Path(__file__).with_name("flight_recorder.c")
_POINTS = (  # the last one attached makes it complete
    (b"on_leave", b"syscalls:sys_exit_bpf"),
    (b"on_enter", b"syscalls:sys_enter_bpf"),
)
_FORK = (b"on_fork", b"sched:sched_process_fork")
_FAILED, _LOST = 0, 1  # of the map `counts`
_MEASURES = (
    "CHUNK",
    "CHUNK_HEAD",
    "CODE_CHUNKS",
    "LOAD_BYTES",
    "LOG_CHUNKS",
    "MEASURED_CHUNKS",
    "PROCESS_BYTES",
)
_SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "s390x": 351, "ppc64le": 361}


@dataclass(frozen=True, slots=True)
class Counts:
    """What the kernel counted: failed loads, and those of them that found the ring full."""

    failed: int
    lost: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A load that has begun."""

    thread: int  # tgid << 32 | tid
    since_ns: int  # CLOCK_MONOTONIC


class RecorderProgram:
    """Runs in the kernel from its start to its close; hands each event's bytes to a function."""

    def __init__(self, receive: Callable[[bytes], None], *, tree: bool) -> None:
        """Start; `tree` watches this process and its future children only.

        Raises RecorderForbidden or RecorderUnavailable.
        """
        bcc = recorder_setup.prepare()
        mark = secrets.randbits(63) | 1 << 63  # no address that a process could mean
        self._receive = receive
        self._bpf: Any = _compiled(bcc, tree, mark)
        try:
            self._start(bcc.BPF.TRACEPOINT, tree)
            _call_bpf(mark)
        except BaseException:
            self.close()
            raise
        # In a PID namespace /proc knows other numbers than the kernel.
        self.numbers_are_ours = os.getpid() in {key.value for key in self._bpf[b"tree"]}

    def close(self) -> None:
        """Detach, and let go of all memory; a second call does nothing."""
        bpf, self._bpf = self._bpf, None
        if bpf is not None:
            bpf.cleanup()
            atexit.unregister(bpf.cleanup)

    def poll(self, timeout_s: float) -> None:
        """Receive what is there, after waiting for it for at most that long."""
        self._bpf.ring_buffer_poll(int(timeout_s * 1000))

    def consume(self) -> None:
        """Receive what is there."""
        self._bpf.ring_buffer_consume()

    @property
    def counts(self) -> Counts:
        """Return what was counted so far."""
        numbers = self._bpf[b"counts"]
        return Counts(numbers[_FAILED].value, numbers[_LOST].value)

    def under_way(self) -> list[UnderWay]:
        """Return the loads that have begun and not ended."""
        pending = self._bpf[b"pending"].items()
        return [UnderWay(thread.value, entry.entered_ns) for thread, entry in pending]

    # All are loaded before any is attached: so the recorder never sees itself.
    def _start(self, kind: int, tree: bool) -> None:
        points = (*_POINTS, _FORK) if tree else _POINTS
        with _explained("be loaded"), bcc_capture.paused():
            for name, _ in points:
                self._bpf.load_func(name, kind)
        self._bpf[b"events"].open_ring_buffer(self._hand_over)
        with _explained("be attached"):
            for name, point in points:
                self._bpf.attach_tracepoint(tp=point, fn_name=name)

    def _hand_over(self, _: Any, data: int, size: int) -> int:
        self._receive(ctypes.string_at(data, size))
        return 0


def _compiled(bcc: Any, tree: bool, mark: int) -> Any:
    flags = [f"-D{name}={value}" for name, value in _values(tree, mark).items()]
    with _explained("be compiled"), bcc_capture.paused():
        return bcc.BPF(text=SOURCE.read_bytes(), cflags=flags)


def _values(tree: bool, mark: int) -> dict[str, object]:
    from bcc.utils import get_possible_cpus

    where = offsets() or Offsets(0, 0, 0, 0, 0)
    return {
        **{name: getattr(recorder_events, name) for name in _MEASURES},
        "CPUS": max(get_possible_cpus()) + 1,
        "RING_PAGES": recorder_events.RING_BYTES // os.sysconf("SC_PAGE_SIZE"),
        "TREE_ONLY": int(tree),
        "MARK": f"{mark}ULL",
        "MM_OF_TASK": where.mm,
        "ARG_START": where.arg_start,
        "ARG_END": where.arg_end,
        "ENV_START": where.env_start,
        "ENV_END": where.env_end,
        **_steps(where.way),
    }


_STEPS = (
    "FILES_OF_TASK",
    "FDT_OF_FILES",
    "FD_OF_FDT",
    "PRIVATE_OF_FILE",
    "AUX_OF_PROG",
    "VERIFIED_OF_AUX",
)


def _steps(way: Way | None) -> dict[str, int]:
    found = astuple(way) if way else (0,) * len(_STEPS)
    return dict(zip(_STEPS, found, strict=True))


# BCC raises bare Exceptions, and prints why.
@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    with tapped(pass_on=False) as said:
        try:
            yield
            return
        except Exception as error:
            problem = error
    lines = [line for line in said.text.splitlines() if line.strip()]
    why = next((line for line in lines if "error" in line), lines[-1] if lines else "no reason")
    raise RecorderUnavailable(
        f"the flight recorder could not {what} on Linux {platform.release()}: {problem}: {why}",
        try_="scripts/provision.sh renews kernel headers and BCC; `lab doctor` looks at the rest",
    ) from problem


# A call that means nothing, except to our own program: so it learns who we are.
def _call_bpf(mark: int) -> None:
    number = _SYS_BPF.get(platform.machine())
    if number is None:
        raise RecorderUnavailable(
            f"the flight recorder does not know the number of bpf() on {platform.machine()}",
            try_="add it to verifier_diary/recorder_program.py",
        )
    libc = ctypes.CDLL(None)
    libc.syscall(ctypes.c_long(number), ctypes.c_long(-1), ctypes.c_uint64(mark), ctypes.c_uint(0))
