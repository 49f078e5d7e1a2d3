"""What every test run says and does first; needs only the standard library and pytest."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import signal
from pathlib import Path

import pytest

TRACES = "GLIMPSE_TRACES"
KERNEL = "GLIMPSE_KERNEL"
CAP_SYS_ADMIN, CAP_BPF = 21, 39

# A shell's background job ignores interrupts, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

with contextlib.suppress(ImportError):
    from hypothesis import HealthCheck, settings

    # The same examples on every run, and no deadlines: on a slow machine no test may flake.
    settings.register_profile(
        "glimpse", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    # pytest --hypothesis-profile=explore looks for what the fixed examples do not find.
    settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
    settings.load_profile("glimpse")


def pytest_report_header() -> list[str]:
    return [f"traces: {_traces()}", f"kernel: {_kernel()}"]


def _traces() -> str:
    folder = os.environ.get(TRACES)
    if not folder:
        return f"generated; {TRACES}=FOLDER uses real captures"
    captures = sorted(Path(folder).glob("*.pcap*"))
    if not captures:
        raise pytest.UsageError(f"{TRACES}={folder} holds no captures (*.pcap*); mend or unset it")
    return f"real, {len(captures)} captures in {folder}"


def _kernel() -> str:
    choice = os.environ.get(KERNEL, "auto")
    if choice not in ("auto", "local", "none"):
        raise pytest.UsageError(f"{KERNEL}={choice} means nothing; use local or none, or unset it")
    if choice == "none":
        return f"not used ({KERNEL}=none)"
    if platform.system() != "Linux":
        return f"not used: {platform.system()} has no BPF; run in a VM: vagrant up"
    if not _may_load_programs():
        return "not used: no root; `make test` runs tests/kernel as root"
    required = f", required ({KERNEL}=local)" if choice == "local" else ""
    return f"used, Linux {platform.release()}{required}"


def _may_load_programs() -> bool:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    held = int(match[1], 16) if match else 0
    return bool(held >> CAP_SYS_ADMIN & 1 or held >> CAP_BPF & 1)
