"""Ask apt which kernels there are, and fetch them; nothing is installed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentProblem
from lab.matrix.kernel_list import KEYRING, MIRROR
from verifier_diary.ownership import make_directory, write_atomically

FRESH_S = 24 * 3600.0  # how long a suite's package list is good
TIMEOUT_S = 600.0
# A stub depends on the packages that hold its image and its modules (Debian from 7.x on, Ubuntu).
_PARTS = re.compile(r"^ *Depends: (linux-(?:binary|modules)-\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Apt:
    """One set of package sources: this machine's, or one suite's."""

    where: str  # in words
    options: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return the names of all packages whose name begins with linux-."""
        lines = self._run("apt-cache", "search", "--names-only", "^linux-").splitlines()
        return [line.partition(" - ")[0] for line in lines]

    def parts(self, package: str) -> list[str]:
        """Return the packages that hold a stub's image and modules; for others there are none."""
        return _PARTS.findall(self._run("apt-cache", "depends", package))

    def download(self, packages: Sequence[str], folder: Path) -> list[Path]:
        """Fetch packages into an empty folder; returns the files."""
        # As root apt would work as _apt, who may not write there.
        root = ("-o", "APT::Sandbox::User=root") if os.geteuid() == 0 else ()
        self._run("apt-get", *root, "-qq", "download", *packages, cwd=folder)
        return sorted(folder.glob("*.deb"))

    def update(self) -> None:
        """Fetch the package lists."""
        root = ("-o", "APT::Sandbox::User=root") if os.geteuid() == 0 else ()
        self._run("apt-get", *root, "-o", "APT::Update::Error-Mode=any", "-qq", "update")

    def _run(self, command: str, *words: str, cwd: Path | None = None) -> str:
        if shutil.which(command) is None:
            raise EnvironmentProblem(
                f"{command} is not here, so no kernel can be fetched by its package",
                try_="name kernel images by their path in a kernel list",
            )
        line = [command, *self.options, *words]
        environment = os.environ | {"LC_ALL": "C"}
        try:
            done = subprocess.run(
                line,
                capture_output=True,
                text=True,
                cwd=cwd,
                env=environment,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(self, command, words[-1], f"no answer in {TIMEOUT_S:.0f} s") from error
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no reason"]
            raise _failed(self, command, words[-1], said[-1])
        return done.stdout


def of_this_machine() -> Apt:
    """Return the package sources that the machine has."""
    return Apt("this machine's apt")


def of_suite(suite: str, cache: Path, mirror: str = MIRROR, keyring: Path = KEYRING) -> Apt:
    """Return one suite, with package lists of its own in `cache`; they are fetched when old."""
    if not keyring.exists():
        raise EnvironmentProblem(
            f"{keyring} is missing, so packages of {suite} cannot be trusted",
            try_="sudo apt-get install debian-archive-keyring",
        )
    place = hashlib.sha256(f"{mirror} {suite}".encode()).hexdigest()[:8]
    folder = cache / "apt" / f"{suite.replace('/', '_')}-{place}"
    for part in ("state/lists/partial", "cache/archives/partial"):
        make_directory(folder / part)
    source = f"deb [arch=amd64 signed-by={keyring}] {mirror} {suite} main\n"
    write_atomically(folder / "sources.list", source.encode())
    write_atomically(folder / "state" / "status", b"")
    apt = Apt(f"suite {suite}", _options(folder))
    _refresh(apt, folder / "updated")
    return apt


def _options(folder: Path) -> tuple[str, ...]:
    settings = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state" / "status",
        "Dir::Cache": folder / "cache",
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "Acquire::Languages": "none",
    }
    return tuple(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))


# Lists that are merely old still name packages, so that the second run needs no network.
def _refresh(apt: Apt, stamp: Path) -> None:
    if stamp.exists() and time.time() - stamp.stat().st_mtime < FRESH_S:
        return
    try:
        apt.update()
    except EnvironmentProblem:
        if not stamp.exists():
            raise
        return
    write_atomically(stamp, b"")


def _failed(apt: Apt, command: str, what: str, why: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{command} {what} failed with {apt.where}: {why}",
        try_="check the network and the package sources, then run it again",
    )
