"""See the telemetry adapt: calm traffic, a flood of new sources, calm again."""

from __future__ import annotations

import secrets
import signal
from typing import TYPE_CHECKING, Any

import click

from lab.commands._options import (
    format_option,
    key_option,
    memory_option,
    seed_option,
    threshold_option,
)
from lab.errors import CheckFailed, EnvironmentProblem, UsageError_
from lab.output import Format, Report, message, write

if TYPE_CHECKING:
    from lab.demo.run import DemoResult, DemoSettings

DEFAULT_MEMORY = "2M"
DEFAULT_SECONDS = 12
LEAST_SECONDS = 8


@click.command("demo")
@click.option(
    "--trace",
    type=click.Path(),
    metavar="FILE",
    help="A capture to be the calm traffic; else it is generated.",
)
@click.option(
    "--seconds",
    type=click.IntRange(LEAST_SECONDS, 3600),
    default=DEFAULT_SECONDS,
    show_default=True,
    help="How long to send traffic; three of them are the flood.",
)
@key_option
@memory_option(DEFAULT_MEMORY)
@threshold_option(100)
@seed_option("Of the traffic, and the run's secret; random unless given.")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="demo-report",
    show_default=True,
    metavar="DIR",
    help="Where timeline.svg and demo.json go.",
)
@format_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    out: str,
    format: Format,  # noqa: A002
    **options: Any,
) -> None:
    """Send calm traffic, a flood of new sources, and calm traffic again to a real XDP hook.

    Two namespaces joined by a veth pair; tcpreplay sends the calm traffic, BPF test runs with live
    frames the flood. The kernel trips to Low Detail by itself; the controller returns to High
    Detail. Every packet is known, so all answers are compared with exact truth.

    Where BPF cannot run, the same happens in the simulator, on simulated time, and the exit code is
    3. GLIMPSE_KERNEL=none asks for the simulator, GLIMPSE_KERNEL=local insists on the kernel. Exits
    with 8 where a check fails.
    """
    from lab.demo import run
    from lab.demo.files import save
    from lab.folder import make_folder

    folder = make_folder(out)
    settings = _settings(options)
    result = run.demo(settings)
    for path in save(folder, result.document):
        message(f"wrote {path}")
    _print(result.document, format)
    _end(ctx, result)


def _settings(options: dict[str, Any]) -> DemoSettings:
    from lab.demo.run import DemoSettings
    from simulator import geometry
    from simulator.layout import KEYS

    seed = options.pop("seed")
    key = KEYS[options.pop("key")]
    try:
        geometry.for_memory(options["memory"], key, 1)
    except ValueError as error:
        raise UsageError_(str(error), try_="lab demo --help") from error
    return DemoSettings(key=key, seed=secrets.randbits(64) if seed is None else seed, **options)


def _print(document: dict[str, Any], format: Format) -> None:  # noqa: A002
    from lab.demo.report import SCHEMA
    from lab.demo.tables import tables

    if format is Format.TABLE:
        for title, rows in tables(document):
            click.echo(f"\n{title}\n")
            write(Report(SCHEMA, rows), format)
    elif format is Format.JSON:
        write(Report(SCHEMA, metadata=document), format)
    else:
        rest = {name: value for name, value in document.items() if name != "phases"}
        write(Report(SCHEMA, document["phases"], rest), format)


def _end(ctx: click.Context, result: DemoResult) -> None:
    failed = [check for check in result.document["checks"] if check["passed"] is False]
    if failed:
        raise CheckFailed(
            "; ".join(f"{check['check']}: {check['found']}" for check in failed),
            try_="lab doctor, then the demo again; demo.json has every number",
        )
    if result.document["stopped_by"] == signal.SIGINT.name:
        raise KeyboardInterrupt
    if result.fallback:
        ctx.exit(EnvironmentProblem.exit_code)
