"""Attach the first program to an interface and show its "Packet Received" lines."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lab.commands._options import attach_option
from lab.errors import InterfaceMissing
from lab.output import message

if TYPE_CHECKING:
    from lab.attach import How
    from lab.libbpf.link import Link
    from lab.trace_pipe import Line, TracePipe

TEXT = "Packet Received"
LOOK_S = 0.25  # how often to see whether the interface is still there


@click.command("hello")
@click.argument("interface", metavar="IFACE")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N lines.")
@attach_option
def command(interface: str, count: int | None, how: str) -> None:
    """Attach the first program to IFACE and show its lines until interrupted.

    Each packet that IFACE receives makes one line: time of day, CPU, "Packet Received". Then the
    program is detached. A program that is there already is left alone: exit code 5.
    """
    from lab.attach import How, interface_index

    interface_index(interface)  # before anything is compiled, loaded or mounted
    with _attached(interface, How(how)) as (pipe, link):
        message(f"hello is attached to {interface} ({link.mode}); Ctrl-C ends it")
        _show(pipe, link, count)


@contextmanager
def _attached(interface: str, how: How) -> Iterator[tuple[TracePipe, Link]]:
    from lab import build, loader, trace_pipe
    from lab.attach import attach

    tag = secrets.randbits(32)
    with (
        loader.load(build.object_path("hello"), knobs={"hello_tag": tag}) as loaded,
        trace_pipe.opened(f"{TEXT} [{tag}]") as pipe,
        attach(loaded.require(), interface, how) as link,
    ):
        try:
            yield pipe, link
        finally:
            link.destroy()
            message(f"detached from {interface}")


def _show(pipe: TracePipe, link: Link, count: int | None) -> None:
    clock = time.time() - time.monotonic()
    shown = 0
    while link.alive():
        lost = pipe.lost
        for line in pipe.read(LOOK_S):
            click.echo(_formatted(line, clock))
            shown += 1
            if shown == count:
                return
        if pipe.lost > lost:
            message(f"{pipe.lost - lost:,} lines lost: packets came faster than they can be shown")
    raise InterfaceMissing("the interface is gone", try_="ip link")


# Monotonic time is what all CPUs agree on; people want the time of day.
def _formatted(line: Line, clock: float) -> str:
    when = datetime.fromtimestamp(line.time_s + clock)
    return f"{when:%H:%M:%S.%f}  cpu {line.cpu}  {TEXT}"
