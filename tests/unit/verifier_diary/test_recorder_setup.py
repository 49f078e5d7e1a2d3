from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from verifier_diary import recorder_setup
from verifier_diary.kernel_headers import VARIABLE
from verifier_diary.recorder_setup import RecorderForbidden, RecorderUnavailable

TRACING = "sys/kernel/tracing"


def machine(root: Path, capabilities: str = "000001ffffffffff", *folders: str) -> Path:
    status = root / "proc/self/status"
    status.parent.mkdir(parents=True)
    status.write_text(f"CapEff:\t{capabilities}\n")
    for folder in folders:
        (root / folder).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    "capabilities", ["0000000000000000", "0000008000000000", "0000004000000000"]
)
def test_without_privilege_it_says_sudo(tmp_path: Path, capabilities: str) -> None:
    with pytest.raises(RecorderForbidden, match="takes root") as raised:
        recorder_setup.check_privilege(machine(tmp_path, capabilities))
    assert (raised.value.exit_code, raised.value.try_) == (4, "run the same command with sudo")


@pytest.mark.parametrize("capabilities", ["0000000000200000", "000000c000000000"])
def test_root_or_both_capabilities_are_enough(tmp_path: Path, capabilities: str) -> None:
    recorder_setup.check_privilege(machine(tmp_path, capabilities))


def test_without_bcc_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bcc", None)
    with pytest.raises(RecorderUnavailable, match="needs BCC, and Python has none") as raised:
        recorder_setup.import_bcc()
    assert raised.value.exit_code == 3
    assert raised.value.try_ == "scripts/provision.sh, then scripts/setup"


def test_another_package_named_bcc_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bcc", types.ModuleType("bcc"))
    with pytest.raises(RecorderUnavailable, match="is not the BPF compiler"):
        recorder_setup.import_bcc()


def test_bcc_without_its_library_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bcc.py").write_text("raise OSError('libbcc.so.0: cannot open shared object')")
    monkeypatch.delitem(sys.modules, "bcc", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RecorderUnavailable, match=r"not its library: libbcc\.so\.0"):
        recorder_setup.import_bcc()


def test_without_headers_it_names_what_provides_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(RecorderUnavailable, match="BCC needs kernel headers") as raised:
        recorder_setup.check_headers(tmp_path)
    assert raised.value.try_ == "scripts/provision.sh"


def test_a_choice_of_headers_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(RecorderUnavailable, match=f"{VARIABLE}=.*/gone is no folder"):
        recorder_setup.check_headers(tmp_path)


def test_a_kernel_without_tracing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecorderUnavailable, match="no tracing"):
        recorder_setup.check_tracepoints(tmp_path)


def test_a_kernel_without_tracepoints_of_calls_is_told(tmp_path: Path) -> None:
    root = machine(tmp_path, "0", f"{TRACING}/events")
    with pytest.raises(RecorderUnavailable, match="CONFIG_FTRACE_SYSCALLS"):
        recorder_setup.check_tracepoints(root)


def test_the_place_of_older_systems_is_good_enough(tmp_path: Path) -> None:
    event = "sys/kernel/debug/tracing/events/syscalls/sys_enter_bpf"
    recorder_setup.check_tracepoints(machine(tmp_path, "0", TRACING, event))


def test_where_tracefs_cannot_be_mounted_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_setup.shutil, "which", lambda *_, **__: "/bin/false")
    root = machine(tmp_path, "0", TRACING)
    with pytest.raises(RecorderUnavailable, match="tracefs is not mounted") as raised:
        recorder_setup.check_tracepoints(root)
    assert raised.value.try_ == f"sudo mount -t tracefs tracefs {root / TRACING}"
