"""What this kernel is and can do, found by trying."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

BTF = Path("/sys/kernel/btf/vmlinux")


def facts() -> dict[str, Any]:
    """Return release, machine, whether there is BTF, and which features the probes found."""
    name = os.uname()
    return {
        "release": name.release,
        "machine": name.machine,
        "btf": BTF.exists(),
        "features": features() if BTF.exists() else {},
    }


def features() -> dict[str, bool]:
    """Return every probe of lab/libbpf/probe.py; needs privilege."""
    from lab.libbpf import probe

    return {name: probe.feature(name) for name in (*probe.FEATURES, *probe.HELPERS)}
