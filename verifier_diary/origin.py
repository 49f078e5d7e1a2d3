"""Who loaded a program, with what, and on which kernel."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from verifier_diary.scrub import repository

_GIT_LIFETIME = 2.0  # seconds that an answer of git stays good within one process
_git_answer: tuple[float, Git] | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The process that loaded a program, and the test that asked for it."""

    argv: tuple[str, ...] = ()
    test: str | None = None  # pytest node id
    pid: int | None = None
    comm: str | None = None

    @classmethod
    def here(cls) -> Origin:
        """Describe this process."""
        test = os.environ.get("PYTEST_CURRENT_TEST")
        return cls(
            argv=tuple(sys.argv),
            test=test.rsplit(" (", 1)[0] if test else None,
            pid=os.getpid(),
            comm=_comm(),
        )


@dataclass(frozen=True, slots=True)
class Git:
    """The state of the checkout; all None outside of one."""

    revision: str | None = None
    dirty: bool | None = None

    @classmethod
    def here(cls) -> Git:
        """Ask git, at most every two seconds."""
        global _git_answer
        if _git_answer is None or time.monotonic() - _git_answer[0] > _GIT_LIFETIME:
            _git_answer = time.monotonic(), _ask_git(repository())
        return _git_answer[1]


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel that judged."""

    release: str | None = None
    machine: str | None = None
    config_sha256: str | None = None

    @classmethod
    @cache
    def here(cls) -> Kernel:
        """Describe the running kernel."""
        return cls(platform.release(), platform.machine(), _config_sha256(platform.release()))


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What built and loaded the program."""

    clang: str | None = None
    flags: tuple[str, ...] = ()
    loader: str | None = None  # who called bpf(): lab, bcc, bpftool, ...
    libbpf: str | None = None


def _comm() -> str | None:
    try:
        return Path("/proc/self/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _config_sha256(release: str) -> str | None:
    try:
        return hashlib.sha256(gzip.decompress(Path("/proc/config.gz").read_bytes())).hexdigest()
    except OSError:
        pass
    try:
        return hashlib.sha256(Path(f"/boot/config-{release}").read_bytes()).hexdigest()
    except OSError:
        return None


def _ask_git(root: Path | None) -> Git:
    if root is None or not (root / ".git").exists():
        return Git()
    revision = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    return Git(revision or None, None if status is None else bool(status))


# As root in another person's checkout git refuses to answer unless told that this is meant, and
# would rewrite the index as root unless told not to.
def _git(root: Path, *words: str) -> str | None:
    command = ["git", "-c", "safe.directory=*", "-C", str(root), *words]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
