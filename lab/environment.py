"""Where a number was measured: the record that every JSON carries."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

from verifier_diary.origin import Git

# By bit number: include/uapi/linux/capability.h.
CAPABILITIES = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
]


def environment(seed: int | None = None) -> dict[str, Any]:
    """Return kernel, cpu, cpus, capabilities, commit and the run's seed; unknown is None."""
    return {
        "kernel": platform.release(),
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "capabilities": capabilities(),
        "commit": commit(),
        "seed": seed,
    }


def commit() -> str | None:
    """Return the checkout's commit, with `-dirty` when tracked files differ from it."""
    git = Git.here()
    return f"{git.revision}-dirty" if git.revision and git.dirty else git.revision


def capabilities(root: Path = Path("/")) -> list[str] | None:
    """Return the names of this process's effective capabilities; None where there are none."""
    mask = _field(root / "proc/self/status", r"CapEff:\s*([0-9a-f]+)")
    if mask is None:
        return None
    bits = int(mask, 16)
    named = [name for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1]
    newer = range(len(CAPABILITIES), bits.bit_length())
    return ["cap_" + name for name in named] + [f"cap_{bit}" for bit in newer if bits >> bit & 1]


def cpu_model(root: Path = Path("/")) -> str | None:
    """Return the processor's name as the kernel has it."""
    # x86 has a model name; arm64 has not, and the machine's name is the best there is.
    model = _field(root / "proc/cpuinfo", r"model name\s*:\s*(.+)")
    return model or platform.processor() or platform.machine() or None


def _field(path: Path, pattern: str) -> str | None:
    try:
        match = re.search(f"^{pattern}$", path.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        return None
    return match[1].strip() if match else None
