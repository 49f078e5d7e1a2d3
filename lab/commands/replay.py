"""Replay a capture through the kernel's program, its twin, or both, and measure the accuracy."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.commands._options import (
    detail_option,
    format_option,
    key_option,
    memory_option,
    seed_option,
    threshold_option,
)
from lab.errors import BadInput, CheckFailed, UsageError_
from lab.output import Format, Report, message, progress, write
from lab.replay.engines import ENGINES

if TYPE_CHECKING:
    from lab.replay.run import ReplayResult, ReplaySettings
    from simulator.frames import Frames

DEFAULT_MEMORY = "512K"
MAX_CPUS = 256


@click.command("replay")
@click.argument("trace", type=click.Path(), required=False)
@click.option(
    "--recorded",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead of a capture: run what `lab run --record FILE` saw through the policy again.",
)
@click.option(
    "--engine",
    type=click.Choice(list(ENGINES)),
    default="both",
    show_default=True,
    help="What runs the data path.",
)
@key_option
@detail_option
@memory_option(DEFAULT_MEMORY)
@click.option(
    "--exact-entries",
    type=click.IntRange(1, 1 << 26),
    default=16384,
    show_default=True,
    help="Keys that one exact table holds.",
)
@click.option(
    "--cpus",
    type=click.IntRange(1, MAX_CPUS),
    default=1,
    show_default=True,
    help="Instances that packets are spread over by flow hash, as RSS would.",
)
@threshold_option(1)
@click.option(
    "--epoch",
    type=click.FloatRange(0.001, 86400),
    default=1.0,
    show_default=True,
    help="Seconds over which counts add up.",
)
@click.option(
    "--tick",
    type=click.FloatRange(0.001, 3600),
    default=0.1,
    show_default=True,
    help="Seconds between two looks of the policy.",
)
@click.option(
    "--hash",
    "family",
    type=click.Choice(["murmur3", "jhash", "pms"]),
    default="murmur3",
    show_default=True,
    help="The sketch's hash family.",
)
@seed_option("The run's secret; random unless given.")
@format_option
def command(
    trace: str | None,
    recorded: Path | None,
    engine: str,
    format: Format,  # noqa: A002
    **options: Any,
) -> None:
    """Feed the capture TRACE through the data path and compare with exact truth.

    TRACE is pcap or pcapng (Ethernet or raw IP, truncated or not), plain, .gz or .zst. Its
    timestamps drive clock, ticks and epochs, so a run with a seed is reproducible. With both
    engines every byte is compared. Exits with 8 where they differ or a packet is unaccounted for.

    With --recorded what a live run saw drives the policy, without packets: every decision must come
    out as it was, or the exit code is 8. No other option but --format means anything then.
    """
    if (trace is None) == (recorded is None):
        raise UsageError_("replay takes a TRACE or --recorded FILE", try_="lab replay --help")
    if recorded is not None:
        _replay_recorded(recorded, format)
        return
    assert trace is not None
    from lab.replay.record import SCHEMA, record
    from lab.replay.run import replay

    settings = _settings(options)
    frames = _Frames(trace)
    result = replay(frames, settings, ENGINES[engine])
    found = {**record(settings, result), "trace_complete": frames.fault is None}
    write(Report(SCHEMA, metadata=found), format)
    if frames.clipped:
        message(f"note: {frames.clipped:,} frames longer than any IP packet were cut to size")
    _check(result)
    if frames.fault:
        raise frames.fault


def _replay_recorded(path: Path, form: Format) -> None:
    from lab.replay.recorded import SCHEMA, compare, load

    outcome = compare(load(path))
    write(Report(SCHEMA, metadata=outcome.record()), form)
    if outcome.difference or not outcome.recorded.decisions:
        raise CheckFailed(
            f"{path}: {outcome.difference or 'nothing was recorded'}",
            try_="the policy has changed since, or this is a bug of the lab",
        )


class _Frames:
    """A capture's frames, with progress on a terminal.

    A fault of the file ends them, and waits in `fault` until what came before is reported.
    """

    def __init__(self, path: str) -> None:
        from simulator.traces import TraceReader

        self._reader = TraceReader(path)
        self.fault: BadInput | None = None

    @property
    def clipped(self) -> int:
        return self._reader.info.clipped

    def __iter__(self) -> Iterator[Frames]:
        from simulator.traces import TraceError

        with progress("packets replayed") as advance:
            try:
                for frames in self._reader:
                    yield frames
                    advance(len(frames))
            except TraceError as error:
                self.fault = BadInput(error.problem, try_=error.try_)
                if not self._reader.info.packets:
                    raise self.fault from error


def _settings(options: dict[str, Any]) -> ReplaySettings:
    from lab.datapath import DatapathSettings
    from lab.replay.run import ReplaySettings
    from simulator import geometry
    from simulator.layout import KEYS, Hash, Setting
    from simulator.policy import SECOND_NS, Policy

    try:
        shape = geometry.for_memory(options["memory"], KEYS[options["key"]], options["cpus"])
        policy = Policy(
            threshold=options["threshold"],
            epoch_ns=round(options["epoch"] * SECOND_NS),
            tick_ns=round(options["tick"] * SECOND_NS),
            exact_entries=options["exact_entries"],
        )
    except ValueError as error:
        raise UsageError_(str(error), try_="lab replay --help") from error
    seed = options["seed"] if options["seed"] is not None else secrets.randbits(64)
    path = DatapathSettings(
        shape,
        options["exact_entries"],
        Setting[options["detail"].upper()],
        Hash[options["family"].upper()],
        seed,
    )
    return ReplaySettings(path, policy, options["cpus"])


def _check(result: ReplayResult) -> None:
    ledger, comparison = result.score.ledger, result.comparison
    if ledger.difference or ledger.byte_difference:
        raise CheckFailed(
            f"the ledger does not balance: {ledger.difference} packets, "
            f"{ledger.byte_difference} bytes",
            try_="a bug of the lab: report it with the trace and the seed",
        )
    if comparison and (comparison.differences or not comparison.bytes):
        raise CheckFailed(
            f"kernel and simulator differ in {comparison.differences} places: "
            f"{'; '.join(comparison.examples) or 'nothing was compared'}",
            try_="a bug of the lab: report it with the trace and the seed",
        )
