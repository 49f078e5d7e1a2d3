"""Load every program on many kernels, run the kernel tests there, and compare the verdicts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.commands._options import format_option
from lab.output import Format, message, progress, write

if TYPE_CHECKING:
    from lab.matrix.kernel_list import KernelEntry
    from lab.matrix.outcome import KernelOutcome


@click.command("matrix")
@click.option(
    "--kernels",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your own list of kernels (TOML). [lab/matrix/kernels.toml]",
)
@click.option("--only", metavar="NAME", multiple=True, help="Only this kernel; may be repeated.")
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1),
    help="Kernels at once. [one for each processor]",
)
@format_option
def command(kernels: Path | None, only: tuple[str, ...], jobs: int | None, format: Format) -> None:  # noqa: A002
    """Load every program of bpf/ and every lesson, each alone, on each kernel of a list.

    By default these are the running kernel and Debian 12's newest 6.1 and 6.12, which apt fetches
    and qemu boots; nothing is installed. There the twin tests run too, and XDP on a veth pair.
    Every attempt goes to the journal. Exits with 3 when a kernel could not be asked, with 8 when
    one says something else than tests/kernel/expected has.
    """
    from lab.matrix import kernel_list

    entries = kernel_list.read(kernels) if kernels else kernel_list.read()
    outcomes = _asked(kernel_list.choose(entries, only), jobs or len(os.sched_getaffinity(0)))
    _show(outcomes, format)
    from lab.matrix.report import failure

    if problem := failure(outcomes):
        raise problem


def _asked(entries: tuple[KernelEntry, ...], jobs: int) -> list[KernelOutcome]:
    from lab.matrix import programs, run, stored_tests
    from lab.toolchain import cache_directory

    listed, tests = programs.listed(), stored_tests.stored_tests()
    total = len(entries) * (len(listed) + len(tests))
    with run.filled(listed, tests) as folder, progress("matrix", total) as advance:
        work = run.Work(listed, tests, folder, cache_directory(), advance=advance)
        return run.run(entries, work, jobs)


def _show(outcomes: list[KernelOutcome], format: Format) -> None:  # noqa: A002
    from lab.environment import environment
    from lab.matrix.report import LEGEND, for_people, for_programs

    if format is not Format.TABLE:
        write(for_programs(outcomes, environment()), format)
    else:
        for table in for_people(outcomes):
            write(table, format)
            click.echo()
        message(LEGEND)
    for outcome in outcomes:
        for text in outcome.differences:
            message(text)
