"""Which capability a refused load lacked."""

from __future__ import annotations

import errno
from pathlib import Path

from lab import environment
from lab.errors import PermissionProblem
from verifier_diary.model import Attempt

_NETWORK = {"xdp", "sched_cls", "sched_act", "sk_skb", "cgroup_skb", "lwt_xmit"}
_TRACING = {"kprobe", "tracepoint", "perf_event", "raw_tracepoint", "tracing", "lsm"}


def permission_problem(attempt: Attempt) -> PermissionProblem | None:
    """Return why this process may not load the program; None if the refusal is a verdict."""
    if attempt.errno not in (errno.EPERM, errno.EACCES) or attempt.log.strip():
        return None
    missing = missing_capabilities(attempt.program.type)
    if missing:
        return PermissionProblem(
            f"loading {attempt.program.function} needs {' and '.join(missing)}, "
            "which this process does not have",
            try_="run it with sudo",
        )
    if attempt.errno == errno.EPERM and _inside_user_namespace():
        return PermissionProblem(
            f"loading {attempt.program.function} is not possible in a user namespace, "
            "whatever its capabilities",
            try_="run it with sudo on the host",
        )
    return None


def missing_capabilities(program_type: str | None = "xdp") -> tuple[str, ...]:
    """Return the capabilities that this process lacks to load a program of a type."""
    held = effective_capabilities()
    if "CAP_SYS_ADMIN" in held:
        return ()
    needed = ["CAP_BPF"]
    needed += ["CAP_NET_ADMIN"] if program_type in _NETWORK else []
    needed += ["CAP_PERFMON"] if program_type in _TRACING else []
    return tuple(name for name in needed if name not in held)


def effective_capabilities() -> set[str]:
    """Return the capabilities that this process has, in the kernel's own spelling."""
    return {name.upper() for name in environment.capabilities() or ()}


def _inside_user_namespace() -> bool:
    try:
        mapping = Path("/proc/self/uid_map").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return mapping != ["0", "0", str((1 << 32) - 1)]
