"""Measure the accuracy of every sketch on many traces, and check the claims."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from lab.commands._options import format_option
from lab.errors import CheckFailed, UsageError_
from lab.output import Format, Report, message, write

SCHEMA = 1
COLUMNS = (
    "workload",
    "key",
    "sketch",
    "share",
    "reference",
    "instances",
    "steering",
    "seeds",
    "one_minus_are",
    "weighted",
    "heavy_hitter_f1",
    "top100_are",
)


@click.group("eval")
def command() -> None:
    """Rerun the evaluation, or check what the project claims."""


@command.command("run")
@click.option("--smoke", "size", flag_value="smoke", default=True, help="Minutes: a taste of each.")
@click.option("--full", "size", flag_value="full", help="An hour: all traces, sizes and seeds.")
@click.option("--only", metavar="NAME", help="Only this workload, e.g. caida-2016.")
@click.option(
    "--trace",
    "traces",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Only this capture (pcap or pcapng); may be given more than once.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Where tables and figures go.  [default: eval-report/smoke or eval-report/full]",
)
@click.option("--cpus", type=click.IntRange(1), default=None, help="Worker processes.")
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler, as tcp://HOST:PORT.")
@format_option
def run(
    size: str,
    only: str | None,
    traces: tuple[Path, ...],
    out: Path | None,
    cpus: int | None,
    scheduler: str | None,
    format: Format,  # noqa: A002
) -> None:
    """Measure, and write tables (CSV, Parquet), figures (SVG) and environment.json.

    Without --trace, the captures in the directory that GLIMPSE_TRACES names are measured, and
    generated traffic. What was measured before with the same code is not measured again.
    """
    from lab.evaluation.evaluation import Run, evaluate
    from lab.evaluation.subjects import names
    from lab.evaluation.workloads import capture, provided

    captures = [capture(path) for path in traces] if traces else provided()
    if not captures and not traces:
        message("note: GLIMPSE_TRACES is not set: generated traffic only")
    out = out or Path("eval-report") / size
    wanted = Run(
        size,
        out,
        captures,
        names(),
        only=only,
        workers=cpus or os.cpu_count() or 1,
        scheduler=scheduler,
        captures_only=bool(traces),
    )
    if not wanted.tasks():
        there = ", ".join(sorted({task.workload.name for task in wanted.every()}))
        raise UsageError_(f"there is no workload {only!r}", try_=f"one of: {there}")
    found = evaluate(wanted)
    message(
        f"{len(found.rows):,} measurements ({found.done_before:,} of them done before) in {out}/"
    )
    metadata: dict[str, Any] = {"environment": found.environment, "out": str(out)}
    write(Report(SCHEMA, metadata=metadata, rows=found.summary, columns=COLUMNS), format)


@command.command("check")
@click.option("--smoke", "size", flag_value="smoke", default=True, help="In minutes.")
@click.option("--full", "size", flag_value="full", help="With all seeds, sizes and traces.")
@click.option("--only", metavar="CLAIM", help="Only the claim of this id.")
@click.option("--all", "every", is_flag=True, help="Print every finding, not just the claims.")
@click.option(
    "--claims",
    "path",
    type=click.Path(path_type=Path),
    help="Another file of claims.  [default: docs/results/claims.toml]",
)
@click.option("--cpus", type=click.IntRange(1), default=None, help="Worker processes.")
@format_option
def check(
    size: str,
    only: str | None,
    every: bool,
    path: Path | None,
    cpus: int | None,
    format: Format,  # noqa: A002
) -> None:
    """Measure again what is claimed; exits with 8 where a claim is not reproduced."""
    from lab.environment import environment
    from lab.evaluation.checking import check_all
    from lab.evaluation.claims import FILE, Verdict, read

    claims = read(path or FILE)
    chosen = [claim for claim in claims if only in (None, claim.id)]
    if not chosen:
        there = ", ".join(claim.id for claim in claims)
        raise UsageError_(f"there is no claim {only!r}", try_=f"one of: {there}")
    checked = check_all(chosen, size, Path("eval-report") / size, cpus or os.cpu_count() or 1)
    findings = [row for one in checked for row in one.rows()]
    verdicts = [one.record() for one in checked]
    rows = findings if every else verdicts
    columns = None if every else ("claim", "verdict", "statement", "scope")
    metadata = {"size": size, "environment": environment(), "claims": verdicts}
    write(Report(SCHEMA, metadata=metadata, rows=rows, columns=columns), format)
    for row in findings:
        if row["verdict"] != Verdict.REPRODUCED:
            message(f"{row['verdict']}: {row['claim']}: {row['case']}: {_said(row)}")
    failed = [one.claim.id for one in checked if one.verdict is Verdict.NOT_REPRODUCED]
    if failed:
        raise CheckFailed(
            f"not reproduced: {', '.join(failed)}",
            try_="--only CLAIM --all shows each finding; docs/results/claims.toml the bounds",
        )


def _said(row: dict[str, Any]) -> str:
    measured = "-" if row["measured"] is None else f"{row['measured']:.4g}"
    return f"measured {measured}, expected {row['expected'] or '-'} ({row['why'] or 'see above'})"
