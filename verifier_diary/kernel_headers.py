"""Find kernel headers for BCC, which compiles its programs when they start."""

from __future__ import annotations

import os
import platform
from pathlib import Path

# Where scripts/provision.sh puts headers when the running kernel brings none. Not in /lib/modules,
# where they would make DKMS build modules for a kernel that is not there.
PROVISIONED = Path("opt/glimpse/kernel-headers")
VARIABLE = "BCC_KERNEL_SOURCE"


def find(root: Path = Path("/"), release: str | None = None) -> Path | None:
    """Return what BCC would use, the person's own choice first; None where there is nothing."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen) if Path(chosen).is_dir() else None
    kernel = release or platform.release()
    own = (root / "lib/modules" / kernel / "build", root / "sys/kernel/kheaders.tar.xz")
    ours = (root / PROVISIONED / kernel, root / PROVISIONED / "current")
    return next((path for path in (*own, *ours) if path.exists()), None)


def export(root: Path = Path("/")) -> Path | None:
    """Name provisioned headers in this process's environment, where BCC looks; returns `find`'s."""
    headers = find(root)
    if headers is not None and (root / PROVISIONED) in headers.parents:
        os.environ[VARIABLE] = str(headers)
    return headers
