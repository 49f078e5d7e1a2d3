"""Which shared libraries a program needs, as the dynamic linker finds them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lab.errors import EnvironmentProblem

# `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)`; the linker itself is a path alone.
_FOUND = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_LISTED = re.compile(r"^\s*(\S+) \([^)]*x86-64[^)]*\) => (/\S+)$", re.MULTILINE)


def libraries(files: Iterable[Path]) -> set[Path]:
    """Return the libraries of all these programs and libraries, where the linker looks for them."""
    done = _run("ldd", *map(str, files))
    missing = _MISSING.search(done)
    if missing:
        raise EnvironmentProblem(
            f"the library {missing[1]} is not installed, which a guest's Python would need"
        )
    return found_in(done)


def found_in(said: str) -> set[Path]:
    """Return the paths that `ldd` printed."""
    return {Path(path) for path in _FOUND.findall(said)}


def library(name: str) -> Path:
    """Return where the linker's cache has a library, by its soname."""
    for found, path in _LISTED.findall(_run("ldconfig", "-p")):
        if found == name:
            return Path(path)
    raise EnvironmentProblem(
        f"{name} is not installed", try_="sudo apt-get install libbpf-dev, or `make setup`"
    )


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            check=False,
        )
    except OSError as error:
        raise EnvironmentProblem(f"{command[0]} cannot be run: {error.strerror}") from error
    return done.stdout
