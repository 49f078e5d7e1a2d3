"""Throw random frames and control changes at the kernel and its twin, and compare every byte."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import click

from lab.commands._options import format_option
from lab.errors import CheckFailed
from lab.output import Format, Report, progress, write

SCHEMA = 1
MUTANTS = "mutants"


@click.command("fuzz")
@click.option(
    "--packets",
    type=click.IntRange(1),
    default=200_000,
    show_default=True,
    help="Frames to run, in rounds with a random data path each.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, (1 << 63) - 1),
    default=None,
    help="Repeats a run; random unless given.",
)
@click.option(
    "--only",
    type=click.Choice([MUTANTS]),
    default=None,
    help="Check the checker: build one-line mutants of the C, which must all be caught.",
)
@click.option(
    "--cases",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("fuzz-cases"),
    show_default=True,
    help="Where differences are saved.",
)
@click.option(
    "--case",
    "saved",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Run one saved case again, and nothing else.",
)
@format_option
def command(
    packets: int,
    seed: int | None,
    only: str | None,
    cases: Path,
    saved: Path | None,
    format: Format,  # noqa: A002
) -> None:
    """Compare the kernel's program with its twin on crafted, mutated and random frames.

    Each round draws a data path (key, hash, geometry, instances, limits), frames and control
    changes. Valid frames are also compared with scapy's own dissection. A round that differs is
    cut to the shortest that still does and saved. Exits with 8 where anything differed.
    """
    from verifier_diary.ownership import state_directory

    # Thousands of loads of random sizes are a test's, not the diary's.
    os.environ.setdefault("GLIMPSE_JOURNAL", str(state_directory() / "fuzz-journal"))
    drawn_seed = seed if seed is not None else secrets.randbits(32)
    if saved:
        _again(saved, format)
    elif only == MUTANTS:
        _mutants(drawn_seed, format)
    else:
        _campaign(packets, drawn_seed, cases, format)


def _campaign(packets: int, seed: int, cases: Path, format: Format) -> None:  # noqa: A002
    from lab.environment import environment
    from lab.fuzz.campaign import run
    from lab.replay.engines import kernel

    with progress("fuzz", packets) as advance:
        found = run(packets, seed, kernel, cases, advance)
    facts: dict[str, Any] = {
        "packets": found.packets,
        "rounds": found.rounds,
        "differences": found.differences,
        "compared": {
            "packets": found.compared.packets,
            "keys": found.compared.keys,
            "bytes": found.compared.bytes,
            "scapy_frames": found.scapy_compared,
        },
        "examples": found.compared.examples + found.scapy_misread[:10],
        "cases": found.cases,
        "environment": environment(seed),
    }
    write(Report(SCHEMA, metadata=facts), format)
    if found.differences or not found.compared.bytes:
        where = f"run again with --case {found.cases[0]}" if found.cases else None
        raise CheckFailed(f"{found.differences} differences (seed {seed})", try_=where)


def _mutants(seed: int, format: Format) -> None:  # noqa: A002
    from lab.environment import environment
    from lab.fuzz.hunt import hunt
    from lab.fuzz.mutants import MUTANTS as ALL

    with progress("mutants", len(ALL)) as advance:
        catches = list(hunt(seed, lambda _: advance(1)))
    rows = [
        {"mutant": c.mutant, "caught": c.caught, "packets": c.packets, "example": c.example}
        for c in catches
    ]
    write(Report(SCHEMA, rows, {"environment": environment(seed)}), format)
    escaped = [c.mutant for c in catches if not c.caught]
    if escaped:
        raise CheckFailed(
            f"not caught: {', '.join(escaped)}", try_="add frames or changes that reach that line"
        )


def _again(folder: Path, format: Format) -> None:  # noqa: A002
    from lab.fuzz import case, rounds
    from lab.replay.engines import kernel

    found = rounds.run(case.load(folder), kernel)
    facts = {
        "packets": found.packets,
        "differences": found.differences,
        "examples": found.examples,
    }
    write(Report(SCHEMA, metadata=facts), format)
    if found.differences:
        raise CheckFailed(f"{folder} still differs: {'; '.join(found.examples)}")
