"""The Vagrant machine of this tree, as a host uses it: sync, run one command, read its lines.

Standard library only: a host may have nothing but pytest.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUEST_TREE = os.environ.get("GLIMPSE_GUEST_TREE", "/vagrant")


def exists(root: Path = ROOT) -> bool:
    """Say whether `vagrant up` was done in this tree and the machine not destroyed since."""
    return any((root / ".vagrant" / "machines").glob("*/*/id"))


class Machine:
    """The machine; every problem is a pytest.UsageError that says what to do."""

    def __init__(self, root: Path = ROOT) -> None:
        """Find vagrant; whether the machine is up shows when it is asked."""
        self._root = root
        vagrant = shutil.which("vagrant")
        if vagrant is None:
            raise pytest.UsageError(
                "GLIMPSE_KERNEL=vm: vagrant is not installed; install it, or unset the variable"
            )
        self._vagrant = vagrant

    def require_running(self) -> None:
        """Raise where the machine is down."""
        done = self._do("status", "--machine-readable")
        states = [line.split(",")[3] for line in done.splitlines() if ",state," in line]
        if states != ["running"]:
            state = ", ".join(states) or "not there"
            raise pytest.UsageError(
                f"the Vagrant machine is {state}: start it with `vagrant up`, "
                "or run without it: GLIMPSE_KERNEL=none"
            )

    def sync(self) -> None:
        """Bring the guest's copy of the tree up to date."""
        self._do("rsync")

    def run(self, *words: str) -> Iterator[str]:
        """Yield the lines that a command in the guest prints, as they come; stderr is passed on."""
        command = [self._vagrant, "ssh", "-c", shlex.join(words)]
        with subprocess.Popen(
            command, cwd=self._root, stdout=subprocess.PIPE, text=True, errors="replace"
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    yield line.rstrip("\r\n")
            finally:
                if process.poll() is None:
                    process.terminate()

    def _do(self, *words: str) -> str:
        done = subprocess.run(
            [self._vagrant, *words], cwd=self._root, capture_output=True, text=True
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            last = said[-1] if said else f"exit code {done.returncode}"
            raise pytest.UsageError(
                f"vagrant {words[0]} failed: {last}; see `vagrant status`, "
                "or run without the machine: GLIMPSE_KERNEL=none"
            )
        return done.stdout
