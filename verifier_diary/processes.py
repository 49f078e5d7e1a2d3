"""A process that loads programs: its command line, the test it runs, what it may do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_CAP_SYS_ADMIN, _CAP_BPF = 21, 39
_TEST = b"PYTEST_CURRENT_TEST="
_EVERYBODY = ["0", "0", str((1 << 32) - 1)]  # the user namespace that the machine booted with


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it was seen; empty and None for what could not be seen in time."""

    argv: tuple[str, ...] = ()
    test: str | None = None  # pytest node id that it was started under

    @classmethod
    def of(cls, arguments: bytes, environment: bytes = b"") -> Process:
        """Read the two as they are in memory: words that end with a NUL."""
        return cls(tuple(_text(word) for word in arguments.split(b"\0")[:-1]), _test(environment))


def process(pid: int | str, root: Path = PROC) -> Process:
    """Look at a process that runs; never raises."""
    folder = root / str(pid)
    return Process.of(_read(folder / "cmdline"), _read(folder / "environ"))


def may_load(pid: int | str, root: Path = PROC) -> bool | None:
    """Say whether a process may load programs; None if it is gone.

    It needs the capability, and to be outside of user namespaces.
    """
    folder = root / str(pid)
    held = re.search(rb"^CapEff:\s*([0-9a-f]+)", _read(folder / "status"), re.MULTILINE)
    if held is None:
        return None
    mask = int(held[1], 16)
    if not (mask >> _CAP_SYS_ADMIN | mask >> _CAP_BPF) & 1:
        return False
    return _text(_read(folder / "uid_map")).split() == _EVERYBODY


def node_id(current_test: str) -> str:
    """Return the node id in PYTEST_CURRENT_TEST, without the phase behind it."""
    return current_test.rsplit(" (", 1)[0]


def _test(environment: bytes) -> str | None:
    for entry in environment.split(b"\0"):
        if entry.startswith(_TEST):
            return node_id(_text(entry[len(_TEST) :]))
    return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
