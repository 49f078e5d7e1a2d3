"""Boot a kernel in qemu, with an initramfs and two serial ports: console and results."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.errors import EnvironmentProblem
from lab.matrix.guest.reporting import MARK
from lab.matrix.tools import find

POLL_S = 0.25
POWER_OFF_S = 10.0  # a guest that has told its exit code has so long to go off
MEMORY_MIB = 768
# Warnings must reach the console: WARN prints at that level, which `quiet` hides. Clocks mean
# nothing to a guest whose host is busy, so no watchdog cries stall.
KERNEL_ARGUMENTS = (
    "console=ttyS0 loglevel=5 panic=-1 nokaslr mitigations=off nowatchdog "
    "rcupdate.rcu_cpu_stall_suppress=1 random.trust_cpu=on"
)


class Accelerator(StrEnum):
    """What runs the guest's instructions."""

    KVM = "kvm"
    TCG = "tcg"


@dataclass(frozen=True)
class Boot:
    """One guest: what it is made of, and where its two serial ports write."""

    image: Path
    initramfs: Path
    console: Path
    results: Path
    accelerator: Accelerator
    answer_limit: float  # seconds until the start mark
    limit: float  # seconds in all


@dataclass(frozen=True)
class Ended:
    """How qemu came to its end."""

    seconds: float
    timed_out: bool = False
    problem: str | None = None  # qemu's own words, where it would not run


def command(boot: Boot) -> list[str]:
    """Return qemu's command line."""
    return [
        find("qemu-system-x86_64"),
        *("-accel", str(boot.accelerator)),
        *("-cpu", "host" if boot.accelerator is Accelerator.KVM else "max"),
        *("-machine", "q35", "-m", str(MEMORY_MIB), "-smp", "1"),
        *("-display", "none", "-nodefaults", "-no-user-config", "-monitor", "none", "-no-reboot"),
        *("-serial", f"file:{boot.console}", "-serial", f"file:{boot.results}"),
        *("-kernel", str(boot.image), "-initrd", str(boot.initramfs)),
        *("-append", KERNEL_ARGUMENTS),
    ]


def run(boot: Boot, watch: Callable[[], None] = lambda: None) -> Ended:
    """Boot, and wait for the end within the limits; `watch` is called meanwhile."""
    boot.console.unlink(missing_ok=True)
    boot.results.unlink(missing_ok=True)
    started = time.monotonic()
    with _start(boot) as process:
        try:
            timed_out = not _wait(process, boot, started, watch)
        finally:
            stopped = _stop(process)
        said = process.stdout.read().decode("utf-8", "replace").strip() if process.stdout else ""
    problem = None
    if process.returncode != 0 and not stopped:
        problem = said or f"it ended with {process.returncode}"
    return Ended(time.monotonic() - started, timed_out, problem)


def _start(boot: Boot) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command(boot),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise EnvironmentProblem(f"qemu cannot be started: {error.strerror}") from error


# Whether it came to an end in time, by itself or having said so.
def _wait(
    process: subprocess.Popen[bytes], boot: Boot, started: float, watch: Callable[[], None]
) -> bool:
    deadline, answered, finished = started + boot.answer_limit, False, False
    while process.poll() is None:
        now = time.monotonic()
        if now > deadline:
            return finished
        if not answered and _holds(boot.results, "start"):
            answered, deadline = True, started + boot.limit
        if not finished and _holds(boot.results, "exit"):
            finished, deadline = True, now + POWER_OFF_S
        watch()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
    watch()
    return True


# The start mark is the first line, the exit code the last.
def _holds(results: Path, word: str) -> bool:
    try:
        with results.open("rb") as file:
            if word == "exit":
                file.seek(max(0, results.stat().st_size - 64))
            return f"{MARK} {word}".encode() in file.read(4096)
    except OSError:
        return False


# Whether it had to be.
def _stop(process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        return False
    process.kill()
    process.wait()
    return True
