"""Show the diary in datasette, which is an extra, on this machine only."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from verifier_diary.store_errors import DiaryBusy, DiaryUnusable

HOST = "127.0.0.1"


def serve(path: Path, port: int) -> None:
    """Run datasette until it is interrupted; raises DiaryError where it cannot start."""
    if find_spec("datasette") is None:
        raise DiaryUnusable(
            "datasette, which `lab diary serve` shows the diary in, is not installed",
            try_=f"{sys.executable} -m pip install 'datasette>=0.65'",
        )
    if not _is_free(port):
        raise DiaryBusy(f"port {port} of {HOST} is in use", try_=f"--port {port + 1}")
    done = subprocess.run(command(path, port), check=False)
    if done.returncode > 0:
        raise DiaryUnusable(f"datasette ended with exit code {done.returncode}")


def command(path: Path, port: int) -> list[str]:
    """Return the command that serves a diary."""
    datasette = [sys.executable, "-m", "datasette", "serve", str(path)]
    return [*datasette, "--host", HOST, "--port", str(port)]


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            return False
    return True
