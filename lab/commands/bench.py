"""Measure what each update costs per packet in the kernel, beside the usual hash maps."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from lab.commands._options import Size, format_option, key_option, seed_option
from lab.output import Format, Report, message, progress, write

LEAST_REPEATS = 10


class Words(click.ParamType[tuple[str, ...]]):
    """Words with commas between them."""

    name = "name,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        """Split them."""
        return tuple(part for part in str(value).split(",") if part)


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers of keys with commas between them."""

    name = "n,..."

    def __init__(self, minimum: int, maximum: int) -> None:
        """Take the limits, both included."""
        self._limits = minimum, maximum

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Split them, and check each."""
        minimum, maximum = self._limits
        try:
            numbers = tuple(int(part) for part in str(value).split(",") if part)
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 1000,100000", param, ctx)
        if not all(minimum <= number <= maximum for number in numbers):
            self.fail(f"{value!r}: each must be {minimum} to {maximum:,}", param, ctx)
        return numbers


@click.command("bench")
@click.option("--quick", is_flag=True, help="hash and tfm only, on two streams of 100,000 keys.")
@click.option("--programs", is_flag=True, help="Whole programs on whole packets instead.")
@click.option("--simulator", is_flag=True, help="The simulator beside other libraries instead.")
@click.option(
    "--repeats",
    type=click.IntRange(LEAST_REPEATS, 10_000),
    default=LEAST_REPEATS,
    show_default=True,
    help="Interleaved repeats.",
)
@click.option(
    "--keys",
    type=Numbers(10, 4_000_000),
    help="How many keys the generated streams have; 1000 to 1000000 unless given.",
)
@click.option("--streams", type=Words(), help="Which key streams; all unless given.")
@click.option("--subjects", type=Words(), help="What is measured; everything unless given.")
@click.option(
    "--trace",
    "traces",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="A capture as the stream trace-NAME, beside those in GLIMPSE_TRACES.",
)
@key_option
@click.option(
    "--cpus",
    type=click.Choice(["1", "all"]),
    default="1",
    show_default=True,
    help="One CPU, or all at once.",
)
@click.option(
    "--tfm-size",
    type=Size(minimum=16 << 10, maximum=64 << 20),
    default="256K",
    show_default=True,
    help="Of one TFM, and of one grid of the plain sketches.",
)
@click.option(
    "--one-in",
    type=click.IntRange(1, 1 << 20),
    default=100,
    show_default=True,
    help="Packets of which the sampling subject takes one.",
)
@seed_option("Of the streams and the secrets; random unless given.")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Leave CSV files and environment.json there, too.",
)
@format_option
def command(
    simulator: bool,
    out: str | None,
    format: Format,  # noqa: A002
    **options: Any,
) -> None:
    """Feed stored key streams to each update inside BPF_PROG_TEST_RUN, minus the harness itself.

    Medians of ns per packet with bootstrap 95 % intervals, from interleaved repeats, each with its
    ratio to the hash map of the same repeat. docs/bench.md says what is subtracted and what may
    mislead. On a busy machine the maps lose the caches to others: `others_share` and `steal_share`
    of the JSON say how busy it was.
    """
    from lab.bench.output import prepare

    folder = prepare(out) if out else None
    if options["seed"] is None:
        options["seed"] = secrets.randbits(32)
    measured = _simulator(options) if simulator else _suite(options, folder)
    if folder:
        for path in _save(folder, measured):
            message(f"wrote {path}")
    report = measured.report
    write(Report(report.schema, report.rows, report.metadata, measured.columns), format)


class _Measured(NamedTuple):
    name: str
    report: Report
    columns: Sequence[str] | None  # of the table
    raw: Sequence[dict[str, Any]]


def _save(folder: Path, measured: _Measured) -> Iterator[Path]:
    from lab.bench.output import save

    return save(folder, measured.name, measured.report, measured.raw)


def _suite(options: dict[str, Any], folder: Path | None) -> _Measured:
    from lab.bench import request
    from lab.bench.environment import Calm, machine
    from lab.bench.report import SCHEMA, table_columns
    from lab.bench.run import bench

    settings, skipped = request.settings(options)
    for name, why in skipped.items():
        message(f"note: {name} is left out: {why}")
    request.require_kernel()
    calm, measured = Calm(), _Measured(settings.suite.name, Report(SCHEMA, []), None, [])
    rows: list[dict[str, Any]] = []
    raw: list[dict[str, Any]] = []
    with progress("measurements", settings.measurements) as advance:
        for done, (new, single) in enumerate(bench(settings, advance), start=1):
            rows += new
            raw += single
            record = request.record(settings, done, skipped) | {
                "environment": machine(settings.setup.seed) | calm.record()
            }
            report = Report(SCHEMA, rows, record)
            measured = _Measured(settings.suite.name, report, table_columns(settings.suite), raw)
            if folder:  # an interrupted run leaves the cases that are done
                list(_save(folder, measured))
    return measured


def _simulator(options: dict[str, Any]) -> _Measured:
    from lab.bench import simulated
    from lab.bench.environment import Calm, machine
    from lab.bench.report import SCHEMA

    skipped = simulated.missing(simulated.PEERS)
    for name, why in skipped.items():
        message(f"note: {name} is left out: {why}")
    repeats = options["repeats"]
    calm = Calm()
    with progress("measurements", repeats * (len(simulated.PEERS) - len(skipped))) as advance:
        rows = list(simulated.rows(repeats, options["seed"], advance, simulated.PEERS))
    metadata = {
        "suite": "simulator",
        "settings": {"repeats": repeats, "rows": simulated.ROWS, "width": simulated.WIDTH},
        "skipped": skipped,
        "environment": machine(options["seed"]) | calm.record(),
    }
    return _Measured("simulator", Report(SCHEMA, rows, metadata), None, [])
