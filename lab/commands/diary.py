"""Read the verifier's diary: every rejection of a program, explained, and what cured it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import click

from lab import output
from lab.output import Format, Report, plain
from verifier_diary.commands import COMMANDS, TABLE, show_list
from verifier_diary.entries import Filter
from verifier_diary.opening import opened
from verifier_diary.terminal import Record

SCHEMA = 1
# Commands in modules of their own, imported when they run.
MODULES = {
    "kernels": ("lab.commands._diary_kernels", "command"),
    "lessons": ("lab.commands._diary_lessons", "command"),
    "watch": ("verifier_diary.watch_command", "watch"),
}
BROWSER = "verifier_diary.browser"


class _Terminal:
    def write(self, rows: Sequence[Record] | None, head: Record, form: str) -> None:
        output.write(Report(SCHEMA, rows, head), Format(form))

    def stream(self, rows: Iterable[Record], head: Record) -> None:
        for record in _all({"schema": SCHEMA, **head}, rows):
            click.echo(json.dumps(plain(record), separators=(",", ":"), allow_nan=False))

    def message(self, text: str) -> None:
        output.message(text)

    @contextmanager
    def progress(self, label: str, total: float) -> Iterator[Callable[[float], None]]:
        with output.progress(label, total) as advance:
            yield advance


def _all(first: Record, rest: Iterable[Record]) -> Iterator[Record]:
    yield first
    yield from rest


class _Diary(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        modules = [name for name, (module, _) in MODULES.items() if find_spec(module)]
        return sorted([*self.commands, *modules])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, attribute = MODULES.get(cmd_name, ("", ""))
        if not module or not find_spec(module):
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


def is_terminal() -> bool:
    """Say whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@click.group("diary", cls=_Diary, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read the verifier's diary: every rejection, captured, explained, and cured.

    Without a command it opens a browser on a terminal, and prints the list into a pipe. The diary
    is a file in your state directory; GLIMPSE_DIARY names another one. What the journals have got
    since the last time is read first.
    """
    ctx.obj = terminal = _Terminal()
    if ctx.invoked_subcommand is not None:
        return
    if is_terminal() and find_spec(BROWSER):
        importlib.import_module(BROWSER).browse(terminal)
        return
    with opened(terminal) as store:
        show_list(terminal, store, Filter(), None, TABLE)


for _command in COMMANDS:
    command.add_command(_command)
