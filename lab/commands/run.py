"""Attach to an interface and show its traffic, at the detail that the load allows."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.commands._options import (
    Size,
    attach_option,
    detail_option,
    key_option,
    seed_option,
    threshold_option,
)
from lab.errors import CheckFailed, EnvironmentProblem, InterfaceMissing, UsageError_
from lab.output import Format

if TYPE_CHECKING:
    from lab.run.address import Address
    from lab.run.session import Result
    from lab.run.settings import RunSettings


class _AddressType(click.ParamType["Address"]):
    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        from lab.run.address import parse_address

        try:
            return parse_address(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("run")
@click.argument("interface", metavar="IFACE")
@key_option
@detail_option
@attach_option
@click.option(
    "--memory",
    type=Size(minimum=1),
    show_default="512K per CPU, at least 2M",
    help="Budget of everything Low Detail allocates: all buffers, all CPUs.",
)
@threshold_option(1)
@click.option(
    "--tick",
    type=click.FloatRange(0.01, 60),
    default=0.1,
    show_default=True,
    help="Seconds between two looks of the policy.",
)
@click.option(
    "--epoch",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    show_default=True,
    help="Seconds over which counts add up; under pressure the policy makes it shorter.",
)
@click.option(
    "--top",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    metavar="N",
    help="How many of the largest keys to show.",
)
@click.option(
    "--query",
    "queries",
    multiple=True,
    metavar="KEY",
    help="Count this key in every epoch: an address, or SRC:PORT-DST:PORT/PROTOCOL; repeatable.",
)
@click.option(
    "--duration", type=click.FloatRange(0.1), metavar="SECONDS", help="End after so long."
)
@click.option(
    "--format",
    "form",
    type=click.Choice([str(form) for form in Format]),
    show_default="table on a terminal, else jsonl",
    help="How to print the data; table is a live view on a terminal.",
)
@click.option(
    "--metrics",
    type=_AddressType(),
    metavar="ADDRESS",
    help="Serve OpenMetrics at HOST:PORT, or at PORT of 127.0.0.1.",
)
@click.option(
    "--metrics-top",
    type=click.IntRange(0, 100),
    default=0,
    metavar="N",
    help="Make labels of the N largest keys; they change, and fill databases.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep every step and epoch as Parquet, for `lab replay --recorded FILE`.",
)
@click.option("--netns", "namespace", metavar="NAME", help="Where IFACE is: see `ip netns`.")
@click.option(
    "--verdict",
    type=click.Choice(["pass", "drop"]),
    default="pass",
    show_default=True,
    help="What becomes of the packets; drop is for load tests.",
)
@seed_option("The run's secret; random unless given.")
def command(interface: str, form: str | None, **options: Any) -> None:
    """Count the traffic of IFACE per source or flow until interrupted.

    Exact records while they can be kept, the Traffic Feature Map when there are too many new keys;
    the kernel switches by itself. On a terminal a live view, in a pipe JSON lines: metadata, one
    record per epoch, the summary. Whatever ends the run, the last epoch is read first.

    Nothing stays attached. A program that is there already is left alone: exit code 5. An interface
    that goes away ends the run with 6.
    """
    from lab.run.privileges import SINGLE_THREADED

    os.environ.update(SINGLE_THREADED)  # before NumPy is imported
    from lab.run.session import run

    chosen = Format(form) if form else Format.TABLE if sys.stdout.isatty() else Format.JSONL
    settings = _settings(interface, options)
    _end(settings, run(settings, chosen))


def _settings(interface: str, options: dict[str, Any]) -> RunSettings:
    from lab.attach import How
    from lab.run.settings import RunSettings, default_memory, exact_entries, instances
    from simulator.layout import KEYS, Setting, Verdict
    from simulator.policy import SECOND_NS, Policy

    seed, duration = options["seed"], options["duration"]
    threshold, epoch = options["threshold"], options["epoch"]
    try:
        policy = Policy(
            threshold=threshold,
            epoch_ns=round(epoch * SECOND_NS),
            tick_ns=round(options["tick"] * SECOND_NS),
            exact_entries=exact_entries(threshold, epoch),
            setting=Setting[options["detail"].upper()],
        )
    except ValueError as error:
        raise UsageError_(str(error), try_="lab run --help") from error
    return RunSettings(
        interface=interface,
        key=KEYS[options["key"]],
        policy=policy,
        how=How(options["how"]),
        memory=options["memory"] or default_memory(instances()),
        seed=secrets.randbits(64) if seed is None else seed,
        verdict=Verdict[options["verdict"].upper()],
        top=max(options["top"], options["metrics_top"]),
        queries=options["queries"],
        duration_ns=None if duration is None else round(duration * SECOND_NS),
        metrics=options["metrics"],
        metrics_top=options["metrics_top"],
        record=options["record"],
        namespace=options["namespace"],
    )


def _end(settings: RunSettings, result: Result) -> None:
    from lab.run.loop import Ending

    if result.ending is Ending.OUTPUT_FAILED and result.output_error:
        raise result.output_error
    if result.ending is Ending.INTERFACE_GONE:
        raise InterfaceMissing(
            f"{settings.interface} is gone; what was counted until then is above", try_="ip link"
        )
    if result.recording:
        raise EnvironmentProblem(
            f"the recording {settings.record} ended early: {result.recording}",
            try_=f"`lab replay --recorded {settings.record}` reads what was kept",
        )
    if result.ending is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    if result.summary["ledger_difference"]:
        raise CheckFailed(
            f"the ledger does not balance: {result.summary['ledger_difference']} packets or bytes",
            try_="a bug of the lab: report it with the output and the seed",
        )
