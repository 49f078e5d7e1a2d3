"""Read bpf_printk lines from a trace pipe of one's own.

Each line of the machine's one trace_pipe goes to a single reader, whoever it is. So this makes a
tracefs instance, where bpf_printk arrives as the event bpf_trace_printk, filtered in the kernel:
no other program's lines come in, and none are taken from another reader.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentProblem, PermissionProblem
from lab.output import message

TRACING = Path("/sys/kernel/tracing")
PLACES = (TRACING, Path("/sys/kernel/debug/tracing"))
EVENT = "events/bpf_trace/bpf_trace_printk"
PREFIX = "glimpse-"
_CHUNK = 65536  # bytes

# `  ping-812   [001] ..s2.  5123.402511: bpf_trace_printk: Packet Received [7]`; what stands
# between CPU and time depends on the machine's trace options.
_LINE = re.compile(r".*\[(?P<cpu>\d+)\].*?\s(?P<time>\d+\.\d+): bpf_trace_printk: (?P<text>.*)")
_LOST = re.compile(r"CPU:\d+ \[LOST (?P<lost>\d+) EVENTS\]")


@dataclass(frozen=True)
class Line:
    """One bpf_printk; `time_s` is CLOCK_MONOTONIC."""

    text: str
    cpu: int
    time_s: float


def parse(raw: str) -> Line | int | None:
    """Return a line of the pipe, the number of events lost before it, or None for what is neither.

    Lost means that nobody read fast enough.
    """
    if lost := _LOST.match(raw):
        return int(lost["lost"])
    if found := _LINE.match(raw):
        return Line(found["text"], int(found["cpu"]), float(found["time"]))
    return None


class TracePipe:
    """The lines of one text; the instance goes with `close`."""

    def __init__(self, instance: Path) -> None:
        """Read the instance's pipe; `lost` counts the lines that nobody read in time."""
        self._instance = instance
        self._fd = os.open(instance / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self._rest = ""
        self.lost = 0

    def read(self, timeout_s: float) -> list[Line]:
        """Return what has come, waiting for at most `timeout_s`."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if not poll.poll(timeout_s * 1000):
            return []
        with contextlib.suppress(BlockingIOError):
            self._rest += os.read(self._fd, _CHUNK).decode("utf-8", "replace")
        *whole, self._rest = self._rest.split("\n")
        return list(self._kept(whole))

    def close(self) -> None:
        """Give the pipe up and remove its instance; a second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
            _remove(self._instance)

    def _kept(self, raw_lines: list[str]) -> Iterator[Line]:
        for parsed in map(parse, raw_lines):
            if isinstance(parsed, Line):
                yield parsed
            else:
                self.lost += parsed or 0


@contextlib.contextmanager
def opened(text: str, tell: Callable[[str], None] = message) -> Iterator[TracePipe]:
    """Open a pipe that brings exactly the lines that read `text`; mounts tracefs if need be."""
    root = tracing(tell)
    _sweep(root)
    instance = root / "instances" / f"{PREFIX}{os.getpid()}-{time.monotonic_ns()}"
    try:
        instance.mkdir()
        try:
            _arrange(instance, text)
            pipe = TracePipe(instance)
        except BaseException:
            _remove(instance)
            raise
    except OSError as error:
        raise _no_pipe(error) from error
    try:
        yield pipe
    finally:
        pipe.close()


def tracing(tell: Callable[[str], None] = message) -> Path:
    """Return where tracefs is mounted, after mounting it where it is not."""
    for place in PLACES:
        if (place / "instances").is_dir():
            return place
    if not TRACING.is_dir():
        raise EnvironmentProblem(
            "the kernel has no tracing (CONFIG_TRACING), so bpf_printk goes nowhere",
            try_="boot a distribution's kernel, or `vagrant up`",
        )
    tool = shutil.which("mount", path=f"{os.environ.get('PATH', os.defpath)}:/usr/bin:/bin")
    command = ["mount", "-t", "tracefs", "tracefs", str(TRACING)]
    done = subprocess.run(
        [tool or "mount", *command[1:]], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PermissionProblem(
            f"tracefs is not mounted, and cannot be: {done.stderr.strip()}",
            try_=f"sudo {' '.join(command)}",
        )
    tell(f"mounted tracefs at {TRACING} (it stays)")
    return TRACING


# The pipe wakes its reader at the first line, not when it is half full.
def _arrange(instance: Path, text: str) -> None:
    settings = {
        "trace_clock": "mono",
        "buffer_percent": "0",
        f"{EVENT}/filter": f'bpf_string == "{text}"',
        f"{EVENT}/enable": "1",
    }
    for name, value in settings.items():
        (instance / name).write_text(value, encoding="utf-8")


def _no_pipe(error: OSError) -> EnvironmentProblem | PermissionProblem:
    if error.errno in (errno.EACCES, errno.EPERM):
        return PermissionProblem(
            f"no trace pipe of our own: {error.strerror}: {error.filename}",
            try_="run it with sudo",
        )
    return EnvironmentProblem(
        f"no trace pipe of our own: {error.strerror}: {error.filename}",
        try_="a kernel from 5.9 on has the event bpf_trace_printk; `lab doctor` looks at the rest",
    )


# What a killed process left. An instance that is being read cannot be removed, so that one of
# another PID namespace is safe.
def _sweep(root: Path) -> None:
    for instance in (root / "instances").glob(f"{PREFIX}*"):
        pid = instance.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            _remove(instance)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(instance: Path) -> None:
    with contextlib.suppress(OSError):
        instance.rmdir()
