"""Which clang and libbpf there are, and where the compiler finds its headers."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from lab.errors import EnvironmentProblem
from verifier_diary.ownership import invoking_home, make_directory, write_atomically

KERNEL_BTF = Path("/sys/kernel/btf/vmlinux")
_PACKAGES = {"clang": "clang", "make": "make", "bpftool": "bpftool"}


def find(command: str) -> str:
    """Return the path of a build tool; raises EnvironmentProblem naming its package."""
    # bpftool lives in /usr/sbin, which is not on everybody's PATH.
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    found = shutil.which(command, path=path)
    if found is None:
        package = _PACKAGES.get(command, command)
        raise EnvironmentProblem(
            f"{command} is not installed", try_=f"sudo apt-get install {package}, or `make setup`"
        )
    return found


@cache
def clang_version() -> str:
    """Return the first line of `clang --version`."""
    done = subprocess.run(
        [find("clang"), "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.partition("\n")[0].strip()


def toolchain() -> dict[str, str | None]:
    """Return the versions of clang and libbpf; None for what is not installed."""
    from lab.libbpf import _ffi

    facts: dict[str, str | None] = {}
    for name, ask in (("clang", clang_version), ("libbpf", _ffi.version)):
        try:
            facts[name] = ask()
        except EnvironmentProblem:
            facts[name] = None
    return facts


def multiarch() -> tuple[str, ...]:
    """Return the flags that let clang find asm/types.h, which with -target bpf it does not."""
    folder = f"/usr/include/{platform.machine()}-linux-gnu"
    return ("-idirafter", folder) if Path(folder).is_dir() else ()


def cache_directory() -> Path:
    """Return the person's XDG cache directory of this project (not created)."""
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base and Path(base).is_absolute() else invoking_home() / ".cache"
    return home / "glimpse"


def vmlinux_directory() -> Path:
    """Return a directory with the running kernel's vmlinux.h, made when it is first needed."""
    try:
        name = hashlib.sha256(KERNEL_BTF.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise EnvironmentProblem(
            f"the kernel has no BTF ({KERNEL_BTF}), so there is no vmlinux.h to make",
            try_="boot a kernel built with CONFIG_DEBUG_INFO_BTF=y",
        ) from error
    folder = cache_directory() / f"vmlinux-{name}"
    header = folder / "vmlinux.h"
    if not header.exists():
        command = [find("bpftool"), "btf", "dump", "file", str(KERNEL_BTF), "format", "c"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        if done.returncode != 0:
            raise EnvironmentProblem(f"bpftool made no vmlinux.h: {done.stderr.decode()}")
        make_directory(folder)
        write_atomically(header, done.stdout)
    return folder
