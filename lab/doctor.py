"""Look at this machine: is all there that the lab needs, and what mends what is not."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.errors import EnvironmentProblem, PermissionProblem
from verifier_diary import kernel_headers
from verifier_diary.ownership import state_directory

TINY = "hello.bpf.c"
# An ordinary user's PATH on Debian has no sbin, yet bpftool may be there.
SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"  # something smaller does not work, or works worse
    FAIL = "fail"  # the main job does not work


@dataclass(frozen=True)
class Check:
    """What one check found, and the one command that mends it."""

    name: str
    state: State
    found: str | None = None
    cause: str | None = None
    mend: str | None = None
    exit_code: int | None = None  # of a failure


class Machine:
    """The machine as the checks see it; a test hands in another one."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Look at the machine whose files are under `root`."""
        self.root = root
        self.system = platform.system()
        self.release = platform.release()
        self.is_root = os.geteuid() == 0

    def text(self, path: str) -> str | None:
        """Return what a file under the root holds; None where there is none."""
        try:
            return (self.root / path).read_text("utf-8", "replace")
        except FileNotFoundError:
            return None

    def output(self, *command: str) -> str | None:
        """Return what a tool prints, on stderr if need be; None where it is missing or fails."""
        tool = shutil.which(command[0], path=SEARCH)
        if tool is None:
            return None
        try:
            done = subprocess.run(
                [tool, *command[1:]], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return (done.stdout or done.stderr) if done.returncode == 0 else None

    def has_library(self, name: str) -> bool:
        """Tell whether the dynamic linker finds a library."""
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    def has_module(self, name: str) -> bool:
        """Tell whether Python finds a module; nothing is imported."""
        return importlib.util.find_spec(name) is not None

    def headers(self) -> Path | None:
        """Return the kernel headers that BCC would use."""
        return kernel_headers.find(self.root, self.release)

    def load_tiny_program(self) -> str:
        """Compile the smallest program of bpf/, load it, and say what the verifier processed."""
        from lab import build, loader

        # The person's own journal: a check-up is no part of this project's history.
        os.environ.setdefault("GLIMPSE_JOURNAL", str(state_directory() / "journal"))
        with TemporaryDirectory() as folder:
            built = build.compile(build.BPF / TINY, out=Path(folder) / f"doctor{build.SUFFIX}")
            with loader.load(built) as loaded:
                loaded.require()
                return f"{TINY}, {loaded.attempt.stats.instructions} instructions processed"

    def sudo(self, command: str) -> str:
        """Return a command that needs root, as this person would write it."""
        return command if self.is_root else f"sudo {command}"


Checker = Callable[[Machine], Check]


def examine(machine: Machine, checks: Iterable[Checker] | None = None) -> Iterator[Check]:
    """Yield the outcome of every check, in order; where BPF cannot be, of the first alone."""
    from lab.doctor_checks import CHECKS

    for check in checks or CHECKS:
        outcome = check(machine)
        yield outcome
        if outcome.name == "system" and outcome.state is State.FAIL:
            return


def exit_code(checks: Iterable[Check]) -> int:
    """Return 0, or 4 when nothing but a privilege is missing, or 3."""
    codes = {check.exit_code for check in checks if check.state is State.FAIL}
    if codes == {PermissionProblem.exit_code}:
        return PermissionProblem.exit_code
    return EnvironmentProblem.exit_code if codes else 0
