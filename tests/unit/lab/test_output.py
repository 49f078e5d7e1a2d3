from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest

from lab.output import Format, Report, cell, flatten, message, plain, progress, write

REPORT = Report(
    schema=7,
    rows=[
        {"program": "hello", "accepted": True, "instructions": 1204, "message": None},
        {"program": "glimpse", "accepted": False, "instructions": None, "message": "a, b"},
    ],
    metadata={"seed": 1},
)
SUMMARY = Report(schema=2, metadata={"packets": 10, "memory": {"ratio": 0.1, "rows": [1, 2]}})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def text_of(report: Report, form: Format, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    write(report, form, stream)
    return stream.getvalue()


def test_json_is_one_object_with_schema_metadata_and_results() -> None:
    document = json.loads(text_of(REPORT, Format.JSON))
    assert document == {"schema": 7, "seed": 1, "results": list(REPORT.rows)}


def test_json_without_rows_has_no_results() -> None:
    assert json.loads(text_of(SUMMARY, Format.JSON)) == {"schema": 2, **SUMMARY.metadata}


def test_jsonl_begins_with_metadata_and_schema() -> None:
    first, *rest = [json.loads(line) for line in text_of(REPORT, Format.JSONL).splitlines()]
    assert first == {"schema": 7, "seed": 1}
    assert rest == list(REPORT.rows)


def test_csv_has_a_header_and_empty_cells_for_null() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(REPORT, Format.CSV))))
    assert rows[1] == {
        "program": "glimpse",
        "accepted": "False",
        "instructions": "",
        "message": "a, b",
    }


def test_csv_of_a_summary_is_one_row_with_dotted_names() -> None:
    assert text_of(SUMMARY, Format.CSV) == 'packets,memory.ratio,memory.rows\n10,0.1,"[1, 2]"\n'


def test_csv_takes_in_columns_that_only_later_rows_have() -> None:
    report = Report(1, [{"a": 1}, {"a": 2, "b": 3}])
    assert text_of(report, Format.CSV) == "a,b\n1,\n2,3\n"


def test_csv_without_rows_still_has_its_header() -> None:
    assert text_of(Report(1, [], columns=["a", "b"]), Format.CSV) == "a,b\n"


def test_table_shows_what_a_reader_wants() -> None:
    lines = text_of(REPORT, Format.TABLE).splitlines()
    assert lines[0].split() == ["program", "accepted", "instructions", "message"]
    assert lines[2].split() == ["hello", "yes", "1,204", "-"]


def test_table_shows_only_the_columns_asked_for() -> None:
    report = Report(1, [{"a": 1, "b": 2}], columns=["b"])
    assert text_of(report, Format.TABLE).split("\n")[0].split() == ["b"]


def test_table_of_a_summary_is_a_line_per_value() -> None:
    lines = [line.split() for line in text_of(SUMMARY, Format.TABLE).splitlines()]
    assert lines == [["packets", "10"], ["memory.ratio", "0.1"], ["memory.rows", "1", "2"]]


def test_table_for_a_pipe_is_not_wrapped() -> None:
    long = "word " * 60
    assert long.strip() in text_of(Report(1, [{"message": long}]), Format.TABLE)


def test_table_prints_brackets_as_they_are() -> None:
    assert "[bold]x[/bold]" in text_of(Report(1, [{"a": "[bold]x[/bold]"}]), Format.TABLE)


def test_table_without_rows_prints_nothing() -> None:
    assert text_of(Report(1, []), Format.TABLE) == ""


@pytest.fixture
def colour_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_table_on_a_terminal_has_colours(colour_terminal: Terminal) -> None:
    assert "\x1b[32mok" in text_of(Report(1, [{"state": "ok"}]), Format.TABLE, colour_terminal)


def test_table_honours_no_color(colour_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in text_of(Report(1, [{"s": "ok"}]), Format.TABLE, colour_terminal)


class Colour(StrEnum):
    RED = "red"


@dataclass
class Point:
    x: np.uint64
    where: Path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.uint64(2**63), 2**63),
        (np.float64(0.5), 0.5),
        (float("nan"), None),
        (np.float32("inf"), None),
        (np.array([[1, 2]]), [[1, 2]]),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        (Point(np.uint64(1), Path("p")), {"x": 1, "where": "p"}),
        ({1: (2, None)}, {"1": [2, None]}),
    ],
)
def test_plain_returns_what_json_has(value: object, expected: object) -> None:
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == expected


def test_flatten_joins_names_by_dots() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "d": 2}) == {"a.b.c": 1, "d": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (True, "yes"), (1234567, "1,234,567"), (0.98765, "0.9877"), (12345.6, "12,346")],
)
def test_cell_is_for_people(value: object, text: str) -> None:
    assert cell(value) == text


def test_message_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    message("attached")
    assert capsys.readouterr() == ("", "attached\n")


def test_progress_off_a_terminal_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", 3) as advance:
        advance()
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_writes_to_stderr_only(
    monkeypatch: pytest.MonkeyPatch, colour_terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr", colour_terminal)
    with progress("reading", 3) as advance:
        advance(3)
    assert "reading" in colour_terminal.getvalue()
    assert capsys.readouterr().out == ""
