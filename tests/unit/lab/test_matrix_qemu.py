from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem
from lab.matrix import accelerator, qemu
from lab.matrix.qemu import Accelerator, Boot
from lab.matrix.results import read

START, EXIT = "glimpse-matrix start", "glimpse-matrix exit 0"


@pytest.fixture
def boot(monkeypatch, tmp_path: Path) -> Boot:
    """Return a guest that a script in qemu's place plays."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("vmlinuz", "initramfs"):
        (tmp_path / name).touch()
    return Boot(
        tmp_path / "vmlinuz",
        tmp_path / "initramfs",
        tmp_path / "console.log",
        tmp_path / "results.log",
        Accelerator.TCG,
        20.0,
        20.0,
    )


def plays(boot: Boot, body: str) -> None:
    path = boot.image.parent / "qemu-system-x86_64"
    path.write_text(f"#!/bin/sh\nout={boot.results}\n{body}\n")
    path.chmod(0o755)


def test_the_command_has_two_serial_ports_and_one_processor(boot: Boot) -> None:
    plays(boot, "")
    line = " ".join(qemu.command(boot))
    assert f"-serial file:{boot.console} -serial file:{boot.results}" in line
    assert "-accel tcg -cpu max" in line
    assert "-smp 1" in line
    assert "-no-reboot" in line
    assert "quiet" not in line  # it would hide WARN


def test_qemu_that_is_missing_is_named(monkeypatch, tmp_path: Path, boot: Boot) -> None:
    monkeypatch.setattr(qemu, "find", __import__("lab.matrix.tools", fromlist=["find"]).find)
    monkeypatch.setattr("shutil.which", lambda *a, **k: None)
    with pytest.raises(EnvironmentProblem) as error:
        qemu.command(boot)
    assert str(error.value) == (
        "qemu-system-x86_64 is not installed, which other kernels are booted with"
    )
    assert error.value.try_ == "make matrix, or sudo apt-get install qemu-system-x86"


def test_a_guest_that_goes_off_has_ended(boot: Boot) -> None:
    plays(boot, f"echo {START} >$out; echo {EXIT} >>$out")
    ended = qemu.run(boot)
    assert (ended.timed_out, ended.problem) == (False, None)
    assert read(boot.results).exit_code == 0


def test_a_guest_that_never_answers_is_given_up(boot: Boot) -> None:
    plays(boot, "exec sleep 60")
    ended = qemu.run(Boot(*[*_fields(boot)[:5], 0.3, 20.0]))
    assert ended.timed_out
    assert ended.problem is None


def test_a_guest_that_answers_may_take_longer_but_not_for_ever(boot: Boot) -> None:
    plays(boot, f"echo {START} >$out; exec sleep 60")
    ended = qemu.run(Boot(*[*_fields(boot)[:5], 0.6, 1.2]))
    assert ended.timed_out
    assert ended.seconds >= 1.2


def test_a_guest_that_said_its_exit_code_but_stays_on_has_ended(monkeypatch, boot: Boot) -> None:
    monkeypatch.setattr(qemu, "POWER_OFF_S", 0.1)
    plays(boot, f"echo {START} >$out; echo {EXIT} >>$out; exec sleep 60")
    assert not qemu.run(boot).timed_out


def test_qemus_own_words_are_kept(boot: Boot) -> None:
    plays(boot, "echo 'qemu: invalid kernel'; exit 1")
    assert qemu.run(boot).problem == "qemu: invalid kernel"


def test_an_old_result_is_not_taken_for_a_new_one(boot: Boot) -> None:
    boot.results.write_text(f"{START}\n{EXIT}\n")
    plays(boot, "exit 0")
    qemu.run(boot)
    assert not read(boot.results).started


def test_no_guest_stays_behind_when_the_watch_ends_it(boot: Boot) -> None:
    plays(boot, f"echo $$ >{boot.console}.pid; exec sleep 60")

    def watch() -> None:
        if Path(f"{boot.console}.pid").exists():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        qemu.run(boot, watch)
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path(f"{boot.console}.pid").read_text()), 0)


@pytest.fixture
def device(monkeypatch, tmp_path: Path) -> Path:
    path = tmp_path / "kvm"
    path.touch()
    monkeypatch.setattr(accelerator, "DEVICE", path)
    monkeypatch.setattr(accelerator, "LIMIT_S", 0.5)
    (tmp_path / "matrix").mkdir()
    return path


def found(boot: Boot, told: list[str]) -> Accelerator:
    return accelerator.accelerator(boot.image, boot.initramfs, boot.image.parent, told.append)


@pytest.mark.usefixtures("device")
def test_kvm_is_used_where_a_guest_came_up_with_it(boot: Boot) -> None:
    script = "for w; do case $w in file:*results*) out=${w#file:} ;; esac; done"
    plays(boot, f"{script}; echo {START} >$out; echo {EXIT} >>$out")
    assert found(boot, []) is Accelerator.KVM


@pytest.mark.usefixtures("device")
def test_kvm_that_boots_nothing_is_told_once_and_tcg_used(boot: Boot) -> None:
    plays(boot, "exec sleep 60")
    told: list[str] = []
    assert found(boot, told) is Accelerator.TCG
    assert found(boot, told) is Accelerator.TCG
    assert len(told) == 1
    assert "opens, but no guest starts with it" in told[0]


def test_without_the_device_nothing_is_tried(monkeypatch, tmp_path: Path, boot: Boot) -> None:
    monkeypatch.setattr(accelerator, "DEVICE", tmp_path / "none")
    plays(boot, f"touch {tmp_path}/tried")
    assert found(boot, []) is Accelerator.TCG
    assert not (tmp_path / "tried").exists()


def _fields(boot: Boot) -> list:
    return [
        boot.image,
        boot.initramfs,
        boot.console,
        boot.results,
        boot.accelerator,
        boot.answer_limit,
        boot.limit,
    ]
