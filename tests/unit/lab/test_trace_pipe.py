from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import trace_pipe
from lab.errors import EnvironmentProblem, PermissionProblem
from lab.trace_pipe import Line, parse


@pytest.mark.parametrize(
    "raw",
    [
        "            ping-812     [001] ..s2.  5123.402511: bpf_trace_printk: Packet Received [7]",
        "     a [3] 1.5: b-812     [001] 5123.402511: bpf_trace_printk: Packet Received [7]",
        "  <idle>-0    (-------) [001] d.s..1  5123.402511: bpf_trace_printk: Packet Received [7]",
    ],
)
def test_line_is_read_whatever_the_trace_options_are(raw: str) -> None:
    assert parse(raw) == Line("Packet Received [7]", cpu=1, time_s=5123.402511)


def test_loss_is_read_as_a_number() -> None:
    assert parse("CPU:1 [LOST 1234 EVENTS]") == 1234


@pytest.mark.parametrize("raw", ["", "# tracer: nop", "ping-812 [001] 5.1: sched_switch: x"])
def test_anything_else_is_nothing(raw: str) -> None:
    assert parse(raw) is None


@pytest.fixture
def tracing_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tracing"
    monkeypatch.setattr(trace_pipe, "TRACING", folder)
    monkeypatch.setattr(trace_pipe, "PLACES", (folder, tmp_path / "debug"))
    return folder


def answer(monkeypatch: pytest.MonkeyPatch, code: int, stderr: str = "") -> list[list[str]]:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_mounted_tracefs_is_used_as_it_is(tracing_folder: Path, monkeypatch) -> None:
    commands = answer(monkeypatch, 1)
    (tracing_folder.parent / "debug" / "instances").mkdir(parents=True)
    assert trace_pipe.tracing() == tracing_folder.parent / "debug"
    assert not commands


def test_missing_tracefs_is_mounted_and_told(tracing_folder: Path, monkeypatch) -> None:
    commands, told = answer(monkeypatch, 0), list[str]()
    tracing_folder.mkdir()
    assert trace_pipe.tracing(told.append) == tracing_folder
    assert commands[0][1:] == ["-t", "tracefs", "tracefs", str(tracing_folder)]
    assert told == [f"mounted tracefs at {tracing_folder} (it stays)"]


def test_mount_that_is_refused_says_how_to_do_it(tracing_folder: Path, monkeypatch) -> None:
    answer(monkeypatch, 32, "mount: only root can do that.\n")
    tracing_folder.mkdir()
    with pytest.raises(PermissionProblem) as raised:
        trace_pipe.tracing()
    expected = "tracefs is not mounted, and cannot be: mount: only root can do that."
    assert str(raised.value) == expected
    assert raised.value.try_ == f"sudo mount -t tracefs tracefs {tracing_folder}"


def test_kernel_without_tracing_is_named(tracing_folder: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="the kernel has no tracing") as raised:
        trace_pipe.tracing()
    assert "vagrant up" in (raised.value.try_ or "")


def test_kernel_without_the_event_is_named(tracing_folder: Path) -> None:
    (tracing_folder / "instances").mkdir(parents=True)
    with (
        pytest.raises(EnvironmentProblem, match="no trace pipe of our own: No such file") as raised,
        trace_pipe.opened("hello"),
    ):
        pass
    assert "5.9" in (raised.value.try_ or "")


def test_instance_that_may_not_be_made_needs_sudo(tracing_folder: Path, monkeypatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    (tracing_folder / "instances").mkdir(parents=True)
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionProblem, match=r"Permission denied: .*/glimpse-") as raised:
        trace_pipe.opened("hello").__enter__()
    assert raised.value.try_ == "run it with sudo"


def test_only_instances_of_ended_processes_are_swept(tracing_folder: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    instances = tracing_folder / "instances"
    for name in (f"glimpse-{dead.pid}-1", f"glimpse-{os.getpid()}-1", "other", "glimpse-x"):
        (instances / name).mkdir(parents=True)
    with pytest.raises(EnvironmentProblem), trace_pipe.opened("hello"):
        pass
    left = {path.name for path in instances.iterdir()}
    assert left >= {f"glimpse-{os.getpid()}-1", "other", "glimpse-x"}
    assert f"glimpse-{dead.pid}-1" not in left
