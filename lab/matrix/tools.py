"""The programs that a matrix needs and nothing else of the lab does."""

from __future__ import annotations

import os
import shutil

from lab.errors import EnvironmentProblem

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "ip": "iproute2",
    "unshare": "util-linux",
}


def find(command: str) -> str:
    """Return the path of a tool; raises EnvironmentProblem naming its package."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    found = shutil.which(command, path=path)
    if found is None:
        package = PACKAGES[command]
        raise EnvironmentProblem(
            f"{command} is not installed, which other kernels are booted with",
            try_=f"make matrix, or sudo apt-get install {package}",
        )
    return found
