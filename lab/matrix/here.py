"""Run the plan on the kernel that runs here, in a network namespace of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab import privilege
from lab.errors import PermissionProblem
from lab.matrix.guest.reporting import exit_line
from lab.matrix.payload import ROOT
from lab.matrix.qemu import POLL_S, Ended
from lab.matrix.tools import find


def check() -> None:
    """Raise PermissionProblem where this process may not load programs."""
    missing = privilege.missing_capabilities()
    if missing:
        raise PermissionProblem(
            f"the running kernel needs {' and '.join(missing)}, which this process does not have",
            try_="run it with sudo, or leave it out: lab matrix --only NAME",
        )


def run(
    folder: Path, results: Path, limit: float, watch: Callable[[], None] = lambda: None
) -> Ended:
    """Work through a filled folder, as a guest would; results go to the file."""
    results.unlink(missing_ok=True)
    started, timed_out = time.monotonic(), False
    with tempfile.TemporaryDirectory() as journal:
        environment = os.environ | {
            "GLIMPSE_JOURNAL": journal,  # what counts goes to the journal from the results
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [find("unshare"), "--net", sys.executable, "-m", "lab.matrix.guest"]
        process = subprocess.Popen([*command, folder, results], env=environment)
        try:
            while process.poll() is None and not timed_out:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_S)
                watch()
                timed_out = time.monotonic() - started > limit
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    code = process.returncode
    if not timed_out:  # a shell, as in a guest, adds 128 to a signal's number
        with results.open("a", encoding="ascii") as file:
            file.write(f"{exit_line(code if code >= 0 else 128 - code)}\n")
    return Ended(time.monotonic() - started, timed_out)
