"""The guest's side: check the tree, set up, run the tests, report. `python3 guest.py REQUEST`.

Standard library only. The synced folder is only read: the tests run in a copy outside of it, with
a virtual environment and builds of its own.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SYNCED = Path(__file__).resolve().parents[2]
WORK = Path(os.environ.get("GLIMPSE_GUEST_WORK") or Path.home() / "glimpse")
# For the tests of this very file, which need no second virtual environment.
PYTHON = os.environ.get("GLIMPSE_GUEST_PYTHON")

if __name__ == "__main__":
    sys.path.insert(0, str(SYNCED))  # `tests.vm` is found from the tree, not from its folder

from tests.vm.protocol import Mark, Request, line_of  # noqa: E402
from tests.vm.tree import LEFT_OUT, digest  # noqa: E402

GUEST_ONLY = ("--exclude=*.egg-info", *(f"--exclude={name}" for name in sorted(LEFT_OUT)))


def main(word: str) -> int:
    """Answer one request; returns pytest's exit code."""
    request = Request.decode(word)
    here = digest(SYNCED)
    if here != request.digest:
        _say(Mark.STALE, here)
        return 1
    _copy()
    if not PYTHON:
        subprocess.run(
            ["scripts/setup", "test", "figures", "terminal", "metrics", "evaluation"],
            cwd=WORK,
            check=True,
        )
    journal = WORK / "build" / "journal"
    code = _run(request, journal)
    for name, content in _journal(journal):
        _say(Mark.JOURNAL, [name, content])
    _say(Mark.END, code)
    return code


def _copy() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    command = ["rsync", "--archive", "--delete", *GUEST_ONLY, f"{SYNCED}/", f"{WORK}/"]
    subprocess.run(command, check=True)


def _run(request: Request, journal: Path) -> int:
    python = PYTHON or ".venv/bin/python"
    given = dict(request.environment) | {
        "GLIMPSE_KERNEL": "local",
        "GLIMPSE_JOURNAL_OF_TESTS": str(journal),
        "PYTHONUNBUFFERED": "1",
    }
    words = [f"{name}={value}" for name, value in given.items()]
    command = ["env", *words, python, "-m", "pytest", "-p", "tests.vm.reports"]
    if os.getuid() != 0:
        command = ["sudo", *command]
    return subprocess.run([*command, *request.options, *request.tests], cwd=WORK).returncode


# What the tests' loads left: small text files, and texts that they name.
def _journal(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            yield name, base64.b64encode(path.read_bytes()).decode()


def _say(mark: Mark, content: object) -> None:
    print(line_of(mark, content), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
