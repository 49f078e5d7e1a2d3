"""The command line: one file in lab/commands/ per command, one place where errors end.

A command's module is imported when the command runs; its help line is the first line of the
module's docstring, so `lab --help` imports none of them.
"""

from __future__ import annotations

import ast
import errno
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from lab.errors import LabError, UsageError_
from verifier_diary.errors import DiaryError

COMMANDS = Path(__file__).parent / "commands"
INTERRUPTED = 130

# What an OSError that nobody expected means, and what to do about it.
_SYSTEM = {
    errno.ENOSPC: (3, "free some space, or point the output to another disk"),
    errno.EDQUOT: (3, "free some space within your quota, or point the output to another disk"),
    errno.EROFS: (3, "point the output to a place that can be written"),
    errno.EACCES: (4, "check who owns it, or run the same command with sudo"),
    errno.EPERM: (4, "run the same command with sudo"),
}


class CommandFolder(click.Group):
    """A group whose commands are the modules of a folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, without importing any."""
        return sorted(p.stem for p in COMMANDS.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return its `command`."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"lab.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every command with its help line."""
        commands = [(name, help_line(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(commands)


def help_line(name: str) -> str:
    """Return the first line of a command module's docstring, without importing it."""
    tree = ast.parse((COMMANDS / f"{name}.py").read_text("utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("glimpse-ebpf")
    except PackageNotFoundError:  # run from a tree that was never installed
        number = "unknown"
    click.echo(f"lab {number}")
    ctx.exit()


@click.group(
    cls=CommandFolder,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 internal, 2 usage, 3 environment, 4 permission, 5 busy, "
    "6 interface missing, 7 bad input file, 8 a check failed, 130 interrupted.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Glimpse: adaptive telemetry in eBPF, its twin in Python, and the verifier's diary."""


def main() -> NoReturn:
    """Run `lab` on the process's arguments and end the process with the documented code."""
    signal.signal(signal.SIGTERM, _terminate)
    # A shell starts background jobs with SIGINT ignored; `kill -INT` must end the lab all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    try:
        code = _invoke(arguments)
    except BrokenPipeError:
        code = 0
    try:
        sys.stdout.flush()
    except OSError:  # told already, or a closed pipe
        _discard_stdout()
    return code


# click's own main() would answer a closed pipe with 1 and an interrupt with "Aborted!".
def _invoke(arguments: Sequence[str]) -> int:
    try:
        with cli.make_context("lab", list(arguments)) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("LAB_TRACEBACK") == "1":
            traceback.print_exc()
        return _explain(error)
    return 0


def _explain(error: Exception) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _say(_sentence(error.format_message()), _usage_help(error), error.exit_code)
    if isinstance(error, LabError | DiaryError):
        return _say(str(error), error.try_, error.exit_code)
    if isinstance(error, OSError) and error.errno in _SYSTEM:
        code, what_to_do = _SYSTEM[error.errno]
        where = f": {error.filename}" if error.filename else ""
        return _say(f"{(error.strerror or 'system error').lower()}{where}", what_to_do, code)
    return _say(
        f"unexpected {type(error).__name__}: {error} (a bug of the lab, not a mistake of yours)",
        "run it again with LAB_TRACEBACK=1, and open an issue with the traceback and the output "
        "of `lab doctor --format json`",
        LabError.exit_code,
    )


def _say(problem: str, what_to_do: str | None, code: int) -> int:
    click.echo(f"error: {problem}", err=True)
    if what_to_do:
        click.echo(f"try: {what_to_do}", err=True)
    return code


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".") if text[:1] != "'" else text


def _usage_help(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    if error.exit_code != UsageError_.exit_code or context is None:
        return None
    return f"{context.command_path} --help"


# What is still in stdout's buffer has nowhere to go, and Python would complain at its exit.
def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# Unwinds the stack, so that everything is detached; a command that has a final snapshot to give
# catches it.
def _terminate(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
