"""What a run may do: it needs three capabilities, and keeps no others once it is attached."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from lab import privilege
from lab.environment import CAPABILITIES
from lab.errors import LabError, PermissionProblem

# CAP_PERFMON too: without it the verifier takes no pointer arithmetic of the sketch ("prohibited
# for !root"). CAP_SYS_ADMIN stands in for each of them (include/linux/capability.h, bpf_capable).
NEEDED = ("CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON")

# Before NumPy and Arrow are imported: their threads would keep what this one gives up.
SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}

_VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 bits
_PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 8, 24, 38, 4
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@dataclass(frozen=True)
class Privileges:
    """What a run goes on with."""

    uid: int
    capabilities: tuple[str, ...]
    dropped: bool  # it was started as root, and is no longer


def require() -> None:
    """Refuse to begin without what a run needs; raises PermissionProblem, which names it."""
    held = privilege.effective_capabilities()
    if "CAP_SYS_ADMIN" in held:
        return
    missing = [name for name in NEEDED if name not in held]
    if missing:
        raise PermissionProblem(
            f"lab run needs {' and '.join(missing)}, which this process does not have",
            try_="run it with sudo",
        )


def drop() -> Privileges:
    """Give up, where this is root, all but what a run needs, for good; under sudo root's id too.

    Only this thread and those it starts change, so call it before there are others.
    """
    if os.geteuid() != 0:
        return _now(dropped=False)
    others = len(list(Path("/proc/self/task").iterdir())) - 1
    if others:
        raise LabError(f"privileges cannot be dropped: {others} other threads would keep them")
    _bound()
    _become(*person())
    _keep(_bits(NEEDED) & _permitted())
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 1)  # changing the user id made /proc/self root's
    return _now(dropped=True)


def person() -> tuple[int, int]:
    """Return the user and group that `drop` goes on as: under sudo, those of who called it."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    able = {"CAP_SETUID", "CAP_SETGID"} <= privilege.effective_capabilities()
    return (int(uid), int(gid)) if able and uid.isdigit() and gid.isdigit() else (0, 0)


def _now(*, dropped: bool) -> Privileges:
    return Privileges(os.geteuid(), tuple(sorted(privilege.effective_capabilities())), dropped)


# Not even a program that is run as root could get more. Dropping takes CAP_SETPCAP.
def _bound() -> None:
    if "CAP_SETPCAP" not in privilege.effective_capabilities():
        return
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    kept = _bits(NEEDED)
    for bit in range(last + 1):
        if not kept >> bit & 1:
            _prctl(_PR_CAPBSET_DROP, bit)


# Root's id alone could write to all of root's files, without any capability.
def _become(uid: int, gid: int) -> None:
    if uid == 0:
        return
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _keep(bits: int) -> None:
    words = (_Data * 2)()
    for index, word in enumerate(words):
        word.effective = word.permitted = bits >> 32 * index & 0xFFFFFFFF
    header = _Header(_VERSION_3, 0)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _check(_libc().capset(ctypes.byref(header), words), "capset")


def _permitted() -> int:
    words = (_Data * 2)()
    header = _Header(_VERSION_3, 0)
    _check(_libc().capget(ctypes.byref(header), words), "capget")
    return int(words[0].permitted | words[1].permitted << 32)


def _bits(names: tuple[str, ...]) -> int:
    return sum(1 << CAPABILITIES.index(name.removeprefix("CAP_").lower()) for name in names)


def _prctl(option: int, value: int) -> None:
    _check(_libc().prctl(option, value, 0, 0, 0), f"prctl({option}, {value})")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        error = ctypes.get_errno()
        raise LabError(f"privileges cannot be dropped: {what}: {os.strerror(error)}")
