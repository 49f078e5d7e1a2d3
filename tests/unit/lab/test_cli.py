from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lab import cli, errors
from verifier_diary.errors import DiaryError

ROOT = Path(__file__).parents[3]
FULL = Path("/dev/full")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Make `lab doctor` raise what the test wants to see explained."""
    monkeypatch.delenv("LAB_TRACEBACK", raising=False)

    def run_with(error: BaseException, *arguments: str) -> int:
        @click.command("doctor")
        def command() -> None:
            raise error

        monkeypatch.setattr(cli.CommandFolder, "get_command", lambda *_: command)
        return cli.run(["doctor", *arguments])

    return run_with


@pytest.mark.parametrize(
    ("cls", "code"),
    [
        (errors.LabError, 1),
        (errors.UsageError_, 2),
        (errors.EnvironmentProblem, 3),
        (errors.PermissionProblem, 4),
        (errors.Busy, 5),
        (errors.InterfaceMissing, 6),
        (errors.BadInput, 7),
        (errors.CheckFailed, 8),
        (DiaryError, 1),
    ],
)
def test_an_error_is_two_lines_on_stderr_and_its_code(failing, capsys, cls, code: int) -> None:
    assert failing(cls("trace.pcap: empty", try_="capture it again")) == code
    assert capsys.readouterr() == ("", "error: trace.pcap: empty\ntry: capture it again\n")


def test_an_error_without_a_remedy_is_one_line(failing, capsys) -> None:
    assert failing(errors.Busy("taken")) == 5
    assert capsys.readouterr().err == "error: taken\n"


@pytest.mark.parametrize(
    ("number", "code", "remedy"),
    [
        (errno.ENOSPC, 3, "free some space"),
        (errno.EDQUOT, 3, "quota"),
        (errno.EROFS, 3, "a place that can be written"),
        (errno.EACCES, 4, "with sudo"),
        (errno.EPERM, 4, "with sudo"),
    ],
)
def test_a_system_error_names_the_file_and_what_to_do(
    failing, capsys, number: int, code: int, remedy: str
) -> None:
    assert failing(OSError(number, os.strerror(number), "/data/report.json")) == code
    message, what_to_do = capsys.readouterr().err.splitlines()
    assert message == f"error: {os.strerror(number).lower()}: /data/report.json"
    assert remedy in what_to_do


def test_a_bug_says_how_to_report_it_and_shows_no_traceback(failing, capsys) -> None:
    assert failing(ZeroDivisionError("division by zero")) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: unexpected ZeroDivisionError: division by zero (a bug")
    assert "LAB_TRACEBACK=1" in said
    assert "Traceback" not in said


def test_a_bug_shows_its_traceback_when_asked(failing, capsys, monkeypatch) -> None:
    command = failing
    monkeypatch.setenv("LAB_TRACEBACK", "1")
    assert command(ZeroDivisionError()) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_interrupt_is_130(failing, capsys) -> None:
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_closed_pipe_is_no_error(failing, capsys, monkeypatch) -> None:
    monkeypatch.setattr(cli, "_discard_stdout", lambda: None)
    assert failing(BrokenPipeError()) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (["frobnicate"], "no such command 'frobnicate'", "lab --help"),
        (["--frob"], "no such option", "lab --help"),
        (["doctor", "--format", "xml"], "invalid value for '--format'", "lab doctor --help"),
        (["doctor", "--frob"], "no such option", "lab doctor --help"),
        (["doctor", "extra"], "got unexpected extra argument (extra)", "lab doctor --help"),
    ],
)
def test_a_usage_error_names_the_help_to_read(
    capsys, arguments: list[str], message: str, remedy: str
) -> None:
    assert cli.run(arguments) == 2
    said, what_to_do = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: {message}")
    assert what_to_do == f"try: {remedy}"


def test_without_a_command_the_help_is_shown_as_a_usage_error(capsys) -> None:
    assert cli.run([]) == 2
    assert capsys.readouterr().err.startswith("Usage: lab")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["doctor", "--help"]])
def test_help_is_data(capsys, arguments: list[str]) -> None:
    assert cli.run(arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: lab")
    assert err == ""


def test_help_lists_every_command_and_the_exit_codes(capsys) -> None:
    cli.run(["--help"])
    out = capsys.readouterr().out
    words = " ".join(out.split())
    for name in ("doctor", "replay", "verify"):
        assert f" {name} {cli.help_line(name)[:30]}" in words
    assert "130 interrupted" in words


def test_version_is_printed(capsys) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lab ")


def test_a_command_chooses_its_exit_code(monkeypatch) -> None:
    @click.command("doctor")
    @click.pass_context
    def command(ctx: click.Context) -> None:
        ctx.exit(8)

    monkeypatch.setattr(cli.CommandFolder, "get_command", lambda *_: command)
    assert cli.run(["doctor"]) == 8


# The rest needs a process: Python's own end, with its own flush, is part of what is shown.
def lab(program: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        text=True,
        stderr=subprocess.PIPE,
        **options,
    )


CHATTER = """
import click, sys
from lab import cli
@click.command("doctor")
def command():
    for _ in range(100_000):
        print("data")
cli.CommandFolder.get_command = lambda *_: command
sys.argv = ["lab", "doctor"]
cli.main()
"""


def test_a_reader_that_goes_away_leaves_no_complaint() -> None:
    reader, writer = os.pipe()
    process = lab(CHATTER, stdout=writer)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here; run it on Linux: make test")
def test_a_full_disk_under_stdout_is_explained_once() -> None:
    with FULL.open("w") as full:
        process = lab(CHATTER, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert err.splitlines()[0] == "error: no space left on device"
    assert len(err.splitlines()) == 2


WAITER = """
import click, sys, time
from lab import cli
@click.command("doctor")
def command():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("detached", flush=True)
cli.CommandFolder.get_command = lambda *_: command
sys.argv = ["lab", "doctor"]
cli.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_unwinds_and_ends_with_its_code(number: int, code: int) -> None:
    process = lab(WAITER, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "detached\n")
