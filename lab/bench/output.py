"""The document of a run, and the files that --out leaves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lab.bench.report import SCHEMA
from lab.errors import BadInput
from lab.folder import make_folder
from lab.output import Format, Report, write
from verifier_diary.ownership import write_atomically

ENVIRONMENT = "environment.json"


def prepare(out: str) -> Path:
    """Make the folder before there is anything to lose; raises UsageError_ or BadInput."""
    folder = make_folder(out)
    _known(folder / ENVIRONMENT)
    return folder


def save(folder: Path, suite: str, report: Report, raw: Sequence[dict[str, Any]]) -> Iterator[Path]:
    """Write <suite>.csv, the single measurements, and the suite's entry in environment.json."""
    yield _write(folder / f"{suite}.csv", _csv(report.rows or ()))
    if raw:
        yield _write(folder / f"{suite}-repeats.csv", _csv(raw))
    path = folder / ENVIRONMENT
    known = _known(path)
    known[suite] = dict(report.metadata)
    text = io.StringIO()
    write(Report(SCHEMA, metadata=known), Format.JSON, text)
    yield _write(path, text.getvalue())


# What other suites left there.
def _known(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        known: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        problem = f"{path} is not JSON, and would be overwritten: {error}"
        raise BadInput(problem, try_="move it away, or another --out DIR") from error
    return known


def _csv(rows: Sequence[Any]) -> str:
    text = io.StringIO()
    write(Report(SCHEMA, rows), Format.CSV, text)
    return text.getvalue()


def _write(path: Path, text: str) -> Path:
    write_atomically(path, text.encode())
    return path
