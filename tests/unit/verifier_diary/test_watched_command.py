from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from verifier_diary import watched_command
from verifier_diary.watched_command import Command, CommandMissing, Signals

DEADLINE_S = 30
SLEEP = ("sleep", "60")


def ended(command: Command) -> int:
    deadline = time.monotonic() + DEADLINE_S
    while command.running() and time.monotonic() < deadline:
        time.sleep(0.01)
    return command.code


def test_the_exit_code_is_the_commands() -> None:
    with Command([sys.executable, "-c", "raise SystemExit(3)"], Signals()) as command:
        assert ended(command) == 3


def test_a_signal_counts_as_a_shell_counts_it() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with Command([sys.executable, "-c", code], Signals()) as command:
        assert ended(command) == 137


@pytest.mark.parametrize("words", [["no-such-program-anywhere"], ["/"]])
def test_a_command_that_is_not_there_is_named(words: list[str]) -> None:
    with pytest.raises(CommandMissing, match=f"cannot run {words[0]}: there is no such") as raised:
        watched_command.check(words)
    assert (raised.value.exit_code, raised.value.try_) == (
        2,
        "lab diary watch -- COMMAND [ARGUMENTS]",
    )


def test_a_command_that_the_system_refuses_is_named(tmp_path) -> None:
    script = tmp_path / "script"
    script.write_bytes(b"#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(CommandMissing, match="No such file or directory"):
        Command([str(script)], Signals())


def test_signals_are_counted_and_handlers_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    signals = Signals()
    with signals.counted():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    assert (signals.interrupts, signals.terminated, signals.came) == (1, True, True)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_that_only_we_got_is_handed_on(monkeypatch) -> None:
    monkeypatch.setattr(watched_command, "GRACE_S", 0.0)
    signals = Signals()
    with Command(SLEEP, signals) as command:
        signals.interrupts = 1
        assert ended(command) == 128 + signal.SIGINT


@pytest.mark.parametrize("how", ["second interrupt", "terminated"])
def test_who_insists_does_not_wait(how: str) -> None:
    signals = Signals()
    with Command(SLEEP, signals) as command:
        signals.interrupts, signals.terminated = (2, False) if how[0] == "s" else (0, True)
        assert not command.running()
    assert command.code == 128 + signal.SIGTERM


def test_a_command_is_not_left_behind() -> None:
    with Command(SLEEP, Signals()) as command:
        pass
    assert not command.running()


def test_a_command_that_ignores_all_is_killed(monkeypatch) -> None:
    monkeypatch.setattr(watched_command, "PATIENCE_S", 0.1)
    code = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    code += "print(flush=True); time.sleep(60)"
    reading, writing = os.pipe()
    real = subprocess.Popen
    monkeypatch.setattr(
        watched_command.subprocess, "Popen", lambda words: real(words, stdout=writing)
    )
    with Command([sys.executable, "-c", code], Signals()) as command:
        os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    assert command.code == 128 + signal.SIGKILL
