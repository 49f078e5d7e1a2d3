"""What the flight recorder needs of the machine, and what to do where it is missing.

RecorderUnavailable  3  no BCC, no kernel headers, no tracefs, or a kernel that cannot do it
RecorderForbidden    4  no root
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from verifier_diary import kernel_headers
from verifier_diary.errors import DiaryError

TRACING = Path("sys/kernel/tracing")
_PLACES = (TRACING, Path("sys/kernel/debug/tracing"))
_EVENT = Path("events/syscalls/sys_enter_bpf")
_SETUP = "scripts/provision.sh, then scripts/setup"
_CAP_SYS_ADMIN, _CAP_PERFMON, _CAP_BPF = 21, 38, 39


class RecorderUnavailable(DiaryError):
    """The machine lacks what the flight recorder needs."""

    exit_code = 3


class RecorderForbidden(DiaryError):
    """The person may not record other processes."""

    exit_code = 4


def prepare(root: Path = Path("/")) -> Any:
    """Check everything, mount tracefs, name the headers; returns the module `bcc`."""
    check_privilege(root)
    module = import_bcc()
    check_headers(root)
    check_tracepoints(root)
    return module


def check_privilege(root: Path = Path("/")) -> None:
    """Raise RecorderForbidden for those who may not trace the whole machine."""
    status = (root / "proc/self/status").read_text(encoding="utf-8")
    match = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    held = int(match[1], 16) if match else 0
    if held >> _CAP_SYS_ADMIN & 1 or (held >> _CAP_PERFMON & held >> _CAP_BPF & 1):
        return
    raise RecorderForbidden(
        "the flight recorder watches the whole machine, which takes root",
        try_="run the same command with sudo",
    )


def import_bcc() -> Any:
    """Return the module `bcc`, or raise RecorderUnavailable where it is missing or broken."""
    try:
        import bcc
    except ImportError as error:
        raise RecorderUnavailable(
            f"the flight recorder needs BCC, and Python has none: {error}", try_=_SETUP
        ) from error
    except OSError as error:  # libbcc.so
        raise RecorderUnavailable(
            f"BCC is there, but not its library: {error}", try_=_SETUP
        ) from error
    if not hasattr(bcc, "BPF"):
        raise RecorderUnavailable(
            f"the Python module bcc of {getattr(bcc, '__file__', None)} is not the BPF compiler",
            try_=f"pip uninstall bcc; then {_SETUP}",
        )
    return bcc


def check_headers(root: Path = Path("/")) -> None:
    """Name the kernel headers in the environment, or raise RecorderUnavailable."""
    if kernel_headers.export(root) is not None:
        return
    chosen = os.environ.get(kernel_headers.VARIABLE)
    if chosen:
        raise RecorderUnavailable(
            f"{kernel_headers.VARIABLE}={chosen} is no folder of kernel headers",
            try_=f"unset {kernel_headers.VARIABLE}, or name another",
        )
    raise RecorderUnavailable(
        f"BCC needs kernel headers to compile the flight recorder, and Linux "
        f"{platform.release()} brings none",
        try_="scripts/provision.sh",
    )


def check_tracepoints(root: Path = Path("/")) -> None:
    """Mount tracefs where it is not; raise RecorderUnavailable where that does not help."""
    if not (root / TRACING).is_dir():
        raise RecorderUnavailable(
            "the kernel has no tracing (CONFIG_TRACING)",
            try_="boot a distribution's kernel, or `vagrant up`",
        )
    mounted = next((root / p for p in _PLACES if (root / p / "events").is_dir()), None)
    events = mounted or _mount(root / TRACING)
    if not (events / _EVENT).is_dir():
        raise RecorderUnavailable(
            "the kernel has no tracepoints for system calls (CONFIG_FTRACE_SYSCALLS)",
            try_="boot a distribution's kernel, or `vagrant up`",
        )


def _mount(place: Path) -> Path:
    command = ["mount", "-t", "tracefs", "tracefs", str(place)]
    tool = shutil.which("mount", path=f"{os.environ.get('PATH', os.defpath)}:/usr/bin:/bin")
    done = subprocess.run(
        [tool or "mount", *command[1:]], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not (place / "events").is_dir():
        raise RecorderUnavailable(
            f"tracefs is not mounted at {place}, and cannot be: {done.stderr.strip()}",
            try_=f"sudo {' '.join(command)}",
        )
    return place
