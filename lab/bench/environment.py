"""Where a nanosecond was measured, and how calm the machine was meanwhile."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

from lab import environment

_CPU = Path("sys/devices/system/cpu")
_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _NICE, _SYSTEM, _IDLE, _IOWAIT, _IRQ, _SOFTIRQ, _STEAL = range(8)  # of /proc/stat


def machine(seed: int, root: Path = Path("/")) -> dict[str, Any]:
    """Return `environment` and what else decides how long an update takes; unknown is None."""
    return {
        **environment.environment(seed),
        "kernel_build": platform.version(),
        "hypervisor": "hypervisor" in (_text(root / "proc/cpuinfo") or ""),
        "mitigations": _mitigations(root / _CPU / "vulnerabilities"),
        "governor": _text(root / _CPU / "cpu0/cpufreq/scaling_governor"),
        "caches": _caches(root / _CPU / "cpu0/cache"),
        "bpf_jit_enable": _text(root / "proc/sys/net/core/bpf_jit_enable"),
        "bpf_jit_harden": _text(root / "proc/sys/net/core/bpf_jit_harden"),
        "bpf_stats_enabled": _text(root / "proc/sys/kernel/bpf_stats_enabled"),
        "clocksource": _text(
            root / "sys/devices/system/clocksource/clocksource0/current_clocksource"
        ),
    }


class Calm:
    """How much of the machine's time others took while something was measured."""

    def __init__(self, root: Path = Path("/")) -> None:
        """Begin."""
        self._root = root
        self._begin = time.monotonic()
        self._own = time.process_time()
        self._before = _cpu_times(root)

    def record(self) -> dict[str, float | None]:
        """Return shares of all CPUs' time since the beginning; None where /proc/stat is missing."""
        after = _cpu_times(self._root)
        if self._before is None or after is None:
            return {"steal_share": None, "others_share": None, "load_average": None}
        spent = [b - a for a, b in zip(self._before, after, strict=True)]
        total = sum(spent) or 1
        busy = total - spent[_IDLE] - spent[_IOWAIT] - spent[_STEAL]
        own = (time.process_time() - self._own) * _TICKS
        return {
            "seconds": time.monotonic() - self._begin,
            "steal_share": spent[_STEAL] / total,
            "others_share": max(0.0, busy - own) / total,
            "load_average": os.getloadavg()[0],
        }


def _cpu_times(root: Path) -> list[int] | None:
    text = _text(root / "proc/stat")
    return [int(word) for word in text.split("\n")[0].split()[1:9]] if text else None


def _mitigations(folder: Path) -> dict[str, str] | None:
    files = sorted(folder.glob("*")) if folder.is_dir() else []
    return {file.name: text for file in files if (text := _text(file))} or None


def _caches(folder: Path) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for index in sorted(folder.glob("index*")):
        level, kind, size = (_text(index / name) for name in ("level", "type", "size"))
        if level and kind and size:
            found[f"L{level} {kind.lower()}"] = size
    return found or None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None
