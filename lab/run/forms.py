"""The run's records as text, as they come: a line each, one JSON document, or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Protocol

from lab.output import Format, flatten, plain

Record = Mapping[str, Any]


class Form(Protocol):
    """Turns records into text, as they come."""

    def begin(self, metadata: Record) -> str:
        """Return what comes before the first epoch; `metadata` has the schema."""

    def epoch(self, record: Record) -> str:
        """Return an epoch's text."""

    def end(self, summary: Record) -> str:
        """Return what comes after the last epoch."""


class JsonLines:
    """One line per record: metadata, epochs, summary."""

    def begin(self, metadata: Record) -> str:
        """Return the metadata's line."""
        return _line(metadata)

    def epoch(self, record: Record) -> str:
        """Return an epoch's line."""
        return _line(record)

    def end(self, summary: Record) -> str:
        """Return the summary's line."""
        return _line(summary)


class JsonDocument:
    """One object: {schema, ...metadata, results: [epochs], summary}, written as it grows."""

    def __init__(self) -> None:
        """Begin with an empty list of results."""
        self._comma = ""

    def begin(self, metadata: Record) -> str:
        """Return the object's begin."""
        return json.dumps(plain(metadata), indent=2, allow_nan=False)[:-2] + ',\n  "results": ['

    def epoch(self, record: Record) -> str:
        """Return an element of the list."""
        comma, self._comma = self._comma, ","
        return f"{comma}\n    {json.dumps(plain(record), allow_nan=False)}"

    def end(self, summary: Record) -> str:
        """Return the object's end."""
        return f'\n  ],\n  "summary": {json.dumps(plain(summary), allow_nan=False)}\n}}\n'


class Csv:
    """A row per epoch; lists are JSON in their cell."""

    def __init__(self) -> None:
        """Begin before the header, which the first row decides."""
        self._names: list[str] = []

    def begin(self, metadata: Record) -> str:
        """Return nothing: CSV has rows only."""
        return ""

    def epoch(self, record: Record) -> str:
        """Return a row, and before the first one the header."""
        cells = {
            name: json.dumps(value) if isinstance(value, list) else value
            for name, value in flatten(plain(record)).items()
        }
        out = io.StringIO()
        first = not self._names
        self._names = self._names or list(cells)
        writer = csv.DictWriter(out, self._names, lineterminator="\n", extrasaction="ignore")
        if first:
            writer.writeheader()
        writer.writerow(cells)
        return out.getvalue()

    def end(self, summary: Record) -> str:
        """Return nothing."""
        return ""


FORMS: dict[Format, type[Form]] = {
    Format.JSONL: JsonLines,
    Format.JSON: JsonDocument,
    Format.CSV: Csv,
}


def _line(record: Record) -> str:
    return json.dumps(plain(record), separators=(",", ":"), allow_nan=False) + "\n"
