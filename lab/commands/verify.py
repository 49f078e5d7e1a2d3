"""Compile a BPF program, let the kernel's verifier judge it, and say why it was rejected."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.commands._options import format_option
from lab.errors import UsageError_
from lab.output import Format, Report, message, plain, write

if TYPE_CHECKING:
    from lab.verify.check import Verification
    from lab.verify.watch import Round


@click.command("verify")
@click.argument("file", metavar="FILE.c|FILE.o", type=click.Path(path_type=Path))
@click.option("--full-log", is_flag=True, help="Show all that the verifier says, of every path.")
@click.option("--watch", is_flag=True, help="Verify again whenever the file is saved.")
@format_option
def command(file: Path, full_log: bool, watch: bool, format: Format) -> None:  # noqa: A002
    """Load each program of FILE alone, and say what the verifier made of it.

    FILE is C source, compiled as bpf/Makefile would, or a BPF object. Nothing is attached. Exits
    with 8 when a program is rejected or clang refuses the source. --watch goes on until
    interrupted, says what each save has changed, and looks at the headers too.
    """
    if watch:
        _watch(file, full_log, format)
        return
    from lab.verify.check import verify
    from lab.verify.report import failure

    verification = verify(file, full_log=full_log)
    _show(verification, full_log, format)
    if problem := failure(verification, full_log=full_log):
        raise problem


def _show(verification: Verification, full_log: bool, format: Format) -> None:  # noqa: A002
    from lab.environment import environment
    from lab.verify.report import for_people, for_programs

    _show_clang(verification)
    if format is not Format.TABLE:
        write(for_programs(verification, environment()), format)
        return
    report = for_people(verification)
    if report.rows:
        write(report, format)
    _show_details(verification, full_log)


def _show_details(verification: Verification, full_log: bool) -> None:
    from lab.verify.report import details

    for text in details(verification, full_log=full_log):
        click.echo(f"\n{text}")


def _show_clang(verification: Verification) -> None:
    if verification.clang.strip():
        message(verification.clang.rstrip())


def _watch(file: Path, full_log: bool, format: Format) -> None:  # noqa: A002
    if format not in (Format.TABLE, Format.JSONL):
        raise UsageError_(
            f"--watch has no end, which {format} needs", try_="--format jsonl, or table"
        )
    from lab.verify.watch import watch

    show = _show_records if format is Format.JSONL else _show_words
    for this in watch(file, full_log=full_log):
        show(file, this, full_log)
        sys.stdout.flush()
        if this.number == 0:
            message("waiting for a save; Ctrl-C ends it")


def _show_words(file: Path, this: Round, full_log: bool) -> None:
    from lab.verify.report import round_for_people

    if this.number == 0 and this.verification:
        _show(this.verification, full_log, Format.TABLE)
        return
    click.echo("\n" + "\n".join(round_for_people(file, this)))
    if this.verification:
        _show_clang(this.verification)
    if this.verification and full_log:
        _show_details(this.verification, full_log)


def _show_records(file: Path, this: Round, full_log: bool) -> None:
    from lab.environment import environment
    from lab.verify.report import SCHEMA, round_for_programs

    records = round_for_programs(this)
    if this.number == 0:
        head = {"file": str(file), "environment": environment()}
        write(Report(SCHEMA, records, head), Format.JSONL)
        return
    for record in records:
        click.echo(json.dumps(plain(record), separators=(",", ":")))
