"""Put a command's data on stdout in the format asked for; messages go to stderr.

A `Report` is metadata and rows. `json` is one object {schema, ...metadata, results: [...]}; `jsonl`
is the metadata with the schema as its first record, then one record per row; `csv` and `table` have
the rows only. What does not apply is null (csv: empty, table: a dash).
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Protocol


class Format(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


@dataclasses.dataclass(frozen=True)
class Report:
    """What a command hands to its reader."""

    schema: int
    rows: Sequence[Mapping[str, Any]] | None = None  # None: the metadata is all there is
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    columns: Sequence[str] | None = None  # of table; all columns of the first row by default


def write(report: Report, format: Format, stream: IO[str] | None = None) -> None:  # noqa: A002
    """Write a report to `stream`, by default stdout."""
    out = stream or sys.stdout
    if format is Format.JSON:
        _write_json(report, out)
    elif format is Format.JSONL:
        _write_jsonl(report, out)
    elif format is Format.CSV:
        _write_csv(report, out)
    else:
        _write_table(report, out)


def message(text: str) -> None:
    """Tell the person something that is not data."""
    print(text, file=sys.stderr)


def plain(value: Any) -> Any:
    """Return `value` as JSON has it: NumPy, paths and dataclasses unwrapped, NaN as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested objects as one level, names joined by dots."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _write_json(report: Report, out: IO[str]) -> None:
    document = {"schema": report.schema, **report.metadata}
    if report.rows is not None:
        document["results"] = report.rows
    json.dump(plain(document), out, indent=2, allow_nan=False)
    out.write("\n")


def _write_jsonl(report: Report, out: IO[str]) -> None:
    for record in ({"schema": report.schema, **report.metadata}, *(report.rows or ())):
        out.write(json.dumps(plain(record), separators=(",", ":"), allow_nan=False) + "\n")


# A report without rows is one row.
def _flat_rows(report: Report) -> list[dict[str, Any]]:
    rows = report.rows if report.rows is not None else [report.metadata]
    return [flatten(plain(row)) for row in rows]


def _write_csv(report: Report, out: IO[str]) -> None:
    rows = _flat_rows(report)
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(report.columns or ())
    writer = csv.DictWriter(out, names, lineterminator="\n", restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({n: json.dumps(v) if isinstance(v, list) else v for n, v in row.items()})


def _write_table(report: Report, out: IO[str]) -> None:
    rows = _flat_rows(report)
    if report.rows is None:
        rows = [{"": name, " ": value} for name, value in rows[0].items()]
    names = list(report.columns or (rows[0] if rows else ()))
    if names:
        _console(out).print(_table(names, rows))


def _table(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, show_header=any(n.strip() for n in names))
    for name in names:
        numeric = any(isinstance(row.get(name), int | float) for row in rows)
        table.add_column(Text(name.replace("_", " ")), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(Text(cell(row.get(name)), style=_style(row.get(name))) for name in names))
    return table


def cell(value: Any) -> str:
    """Return a value as a reader of a table wants it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, list):
        return " ".join(cell(item) for item in value)
    return str(value)


_STYLES = {
    "ok": "green",
    "accepted": "green",
    "warn": "yellow",
    "fail": "red",
    "rejected": "red",
    "error": "red",
}


def _style(value: Any) -> str:
    return _STYLES.get(value, "") if isinstance(value, str) else ""


# A pipe has no width: a table is wrapped for a terminal only.
def _console(out: IO[str]) -> Any:
    from rich.console import Console

    return Console(file=out, width=None if out.isatty() else 10_000, highlight=False)


class Advance(Protocol):
    """Report that `steps` more steps are done."""

    def __call__(self, steps: float = 1) -> None:
        """Move the bar."""


@contextmanager
def progress(label: str, total: float | None = None) -> Iterator[Advance]:
    """Show a bar on stderr where that is a terminal, or a count where the total is unknown.

    Yields what advances it.
    """
    if not sys.stderr.isatty():
        yield lambda steps=1: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = Progress.get_default_columns()
    if total is None:
        columns = (TextColumn("{task.description}: {task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda steps=1: bar.advance(task, steps)
