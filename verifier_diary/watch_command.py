"""Record every rejected program load on the machine, or of one command, as it happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from verifier_diary.recorded import Recorded
    from verifier_diary.watched_command import Signals
    from verifier_diary.watching import Watching

LOOK_S = 0.1  # how often to see what is due


@click.command(
    "watch",
    short_help="Record every rejected program load on this machine.",
    context_settings={"allow_interspersed_args": False},
)
@click.argument("words", metavar="[-- COMMAND [ARGUMENTS]...]", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End by itself.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="How to print the data; jsonl has the whole logs.",
)
def watch(words: tuple[str, ...], duration: float | None, form: str) -> None:
    """Record every rejected program load on this machine until interrupted.

    Whoever loads: bpftool, libbpf, BCC, Go, Rust. Each rejection is printed as it comes and goes to
    the journal with its whole log. With a COMMAND only it and what it starts are watched, and its
    exit code is passed on. Needs root and BCC.
    """
    from verifier_diary import watched_command
    from verifier_diary.flight_recorder import FlightRecorder
    from verifier_diary.watching import Watching

    if words:
        watched_command.check(words)
    signals = watched_command.Signals()
    with signals.counted(), FlightRecorder(tree=bool(words)) as recorder:
        watching = Watching(recorder)
        show = _head(watching, words, form)
        code = _record(watching, words, duration, signals, show)
        _foot(watching, form)
    if signals.interrupts:
        raise KeyboardInterrupt
    sys.exit(0 if signals.terminated else code)


def _record(
    watching: Watching,
    words: tuple[str, ...],
    duration: float | None,
    signals: Signals,
    show: Callable[[Recorded], None],
) -> int:
    from verifier_diary.watched_command import Command

    until = None if duration is None else time.monotonic() + duration
    if not words:
        _loop(watching, lambda: not signals.came and not _over(until), show)
        return 0
    with Command(words, signals) as command:
        _loop(watching, lambda: not _over(until) and command.running(), show)
        ended = not command.running()
    return command.code if ended else 0


def _over(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until


def _loop(
    watching: Watching, goes_on: Callable[[], bool], show: Callable[[Recorded], None]
) -> None:
    lost = 0
    while goes_on():
        for one in watching.poll(LOOK_S):
            watching.keep(one)
            show(one)
        if watching.lost > lost:
            click.echo(
                f"warning: {watching.lost - lost:,} failed loads lost: they came faster than they "
                "could be read",
                err=True,
            )
            lost = watching.lost
    for one in watching.rest():
        watching.keep(one)
        show(one)


def _head(watching: Watching, words: tuple[str, ...], form: str) -> Callable[[Recorded], None]:
    from verifier_diary import watch_output

    whom = f"{words[0]} and what it starts" if words else "all program loads on this machine"
    end = "" if words else "; Ctrl-C ends it"
    if form == "jsonl":
        click.echo(watch_output.head(watching, words))
        show = watch_output.record
    else:
        click.echo(watch_output.HEADER)
        show = watch_output.line
    click.echo(f"watching {whom}{end}", err=True)
    return lambda one: click.echo(show(one))


def _foot(watching: Watching, form: str) -> None:
    from verifier_diary import watch_output

    if form == "jsonl":
        click.echo(watch_output.account(watching))
    click.echo(watching.summary(), err=True)
