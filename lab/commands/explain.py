"""Explain a verifier log pasted from anywhere: why, where, how it came about, what cures it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.commands._options import format_option
from lab.errors import BadInput
from lab.output import Format, Report, message, write

if TYPE_CHECKING:
    from verifier_diary.clean import Paste
    from verifier_diary.explain import Diagnosis
    from verifier_diary.loops import Skipped
    from verifier_diary.path import Step

SCHEMA = 1
STDIN = "-"


@click.command("explain")
@click.argument("files", metavar="[FILE|-]...", nargs=-1)
@click.option(
    "--source",
    "sources",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A C file that was compiled, to show the lines around the one at fault.",
)
@format_option
def command(files: tuple[str, ...], sources: tuple[Path, ...], format: Format) -> None:  # noqa: A002
    """Explain verifier logs, from files or from stdin.

    Takes what any loader printed, with or without prefixes, colours and timestamps, of any kernel
    from 5.10 to 7.3, and clang's errors too. Needs no root, no kernel and no diary.
    """
    texts = {str(path): _text(path) for path in sources}
    diagnoses = [found for file in files or (STDIN,) for found in _explained(file, texts)]
    if format is Format.TABLE:
        _show(diagnoses)
        return
    rows = [_record(file, paste, diagnosis) for file, paste, diagnosis in diagnoses]
    write(Report(SCHEMA, rows, {"logs": len(rows)}), format)


def _explained(file: str, texts: dict[str, str]) -> list[tuple[str, Paste, Diagnosis]]:
    from verifier_diary.explain import explain
    from verifier_diary.log_import import read

    if file == STDIN and sys.stdin.isatty():
        message("paste the log, then press Ctrl-D")
    return [
        (
            file,
            paste,
            explain(
                paste.log,
                loader=paste.loader,
                errno=paste.errno,
                sources=texts or None,
                function=paste.program,
            ),
        )
        for paste in read(file)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInput(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}",
            try_="name the C file that was compiled, or leave --source out",
        ) from error


def _show(diagnoses: list[tuple[str, Paste, Diagnosis]]) -> None:
    from verifier_diary.report import render

    for number, (file, paste, diagnosis) in enumerate(diagnoses):
        if len(diagnoses) > 1:
            program = f", program {paste.program}" if paste.program else ""
            click.echo(f"{chr(10) if number else ''}== {file}{program} ==")
        for line in render(diagnosis).split("\n"):
            click.echo(_coloured(line))


# click leaves the colours out where stdout is no terminal; NO_COLOR is not its business.
def _coloured(line: str) -> str:
    from os import environ

    if environ.get("NO_COLOR") or not sys.stdout.isatty():
        return line
    if re.match(r"[A-Z][A-Za-z ]+:$|== ", line):
        return click.style(line, bold=True)
    if line.startswith("  > "):
        return click.style(line, fg="red", bold=True)
    return line


def _record(file: str, paste: Paste, diagnosis: Diagnosis) -> dict[str, Any]:
    verdict, at = diagnosis.verdict, diagnosis.at
    return {
        "file": file,
        "program": paste.program,
        "class": verdict.class_id,
        "title": diagnosis.error.title,
        "category": diagnosis.error.category or None,
        "layer": str(verdict.layer),
        "message": verdict.message or None,
        "instruction": verdict.instruction,
        "disassembly": at.disassembly or None,
        "source_line": (at.source.text or None) if at.source else None,
        "source_file": at.source.file if at.source else None,
        "source_line_number": at.source.line if at.source else None,
        "reason": diagnosis.reason,
        "path": [_step(step) for step in diagnosis.path],
        "hotspots": [
            {"source_line": h.spot.text, "place": str(h.spot) or None, "share": h.share}
            for h in diagnosis.hotspots
        ],
        "truncated": verdict.truncated,
        "cause": diagnosis.cause,
        "cure": diagnosis.error.cure,
        "suggestion": diagnosis.suggestion,
    }


def _step(step: Step | Skipped) -> dict[str, Any]:
    from verifier_diary.path import Step

    if not isinstance(step, Step):
        return {"left_out": step.items, "iterations": step.iterations}
    return {
        "instruction": step.index,
        "text": step.text,
        "source_line": step.source.text if step.source else None,
    }
