"""What every test run says and does first; needs only the standard library and pytest.

Kernel tests run here where BPF programs may be loaded; else in the Vagrant machine of this tree, if
there is one; else they are skipped. GLIMPSE_KERNEL=local|vm|none chooses.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import signal
from pathlib import Path

import pytest

from tests.vm import delegation, machine

TRACES = "GLIMPSE_TRACES"
KERNEL = "GLIMPSE_KERNEL"
CAP_SYS_ADMIN, CAP_BPF = 21, 39
# What a host must have for the tests that need no kernel; else the whole suite runs in the guest.
NEEDED = ("cffi", "click", "hypothesis", "numba", "numpy", "pyroute2", "scapy", "sqlite_utils")

# A shell's background job ignores interrupts, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# So does what `nohup` starts with a hang-up.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

with contextlib.suppress(ImportError):
    from hypothesis import HealthCheck, settings

    # The same examples on every run, and no deadlines: on a slow machine no test may flake.
    settings.register_profile(
        "glimpse", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    # pytest --hypothesis-profile=explore looks for what the fixed examples do not find.
    settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
    settings.load_profile("glimpse")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.has_plugin("timeout"):
        parser.addini("timeout", "understood by pytest-timeout, which this host lacks")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    if _where() != "vm":
        raise pytest.UsageError(
            f"this host lacks {', '.join(missing)}: `make test` installs them, and after "
            "`vagrant up` the whole suite runs in the machine"
        )
    print(f"this host lacks {', '.join(missing)}: the whole suite runs in the Vagrant machine")
    return delegation.run_all(config.invocation_params.args)


def pytest_configure(config: pytest.Config) -> None:
    if _where() == "vm":
        config.pluginmanager.register(delegation.Delegation(config), "glimpse-delegation")


def pytest_report_header() -> list[str]:
    return [f"traces: {_traces()}", f"kernel: {_kernel()}"]


def _where() -> str:
    choice = os.environ.get(KERNEL, "auto")
    if choice not in ("auto", "local", "vm", "none"):
        raise pytest.UsageError(
            f"{KERNEL}={choice} means nothing; use local, vm or none, or unset it"
        )
    if choice != "auto":
        return choice
    if platform.system() == "Linux" and _may_load_programs():
        return "local"
    return "vm" if machine.exists() else "none"


def _traces() -> str:
    folder = os.environ.get(TRACES)
    if not folder:
        return f"generated; {TRACES}=FOLDER uses real captures"
    captures = sorted(Path(folder).glob("*.pcap*"))
    if not captures:
        raise pytest.UsageError(f"{TRACES}={folder} holds no captures (*.pcap*); mend or unset it")
    return f"real, {len(captures)} captures in {folder}"


def _kernel() -> str:
    where, choice = _where(), os.environ.get(KERNEL, "auto")
    if where == "vm":
        return "the Vagrant machine's, asked in one go"
    if choice == "none":
        return f"not used ({KERNEL}=none)"
    if platform.system() != "Linux":
        return f"not used: {platform.system()} has no BPF; run in a VM: vagrant up"
    if not _may_load_programs():
        return "not used: no root; `make test` runs tests/kernel as root, `vagrant up` in a VM"
    required = f", required ({KERNEL}=local)" if choice == "local" else ""
    return f"used, Linux {platform.release()}{required}"


def _may_load_programs() -> bool:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    held = int(match[1], 16) if match else 0
    return bool(held >> CAP_SYS_ADMIN & 1 or held >> CAP_BPF & 1)
