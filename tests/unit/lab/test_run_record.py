"""Recordings: parts, the file they become, and what `lab replay --recorded` makes of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from lab.cli import run as lab
from lab.run.parts import Parts, parts_of, read
from lab.run.record import KEY, Recorder, schema, step_row
from simulator.layout import Detail
from simulator.policy import Policy
from tests.unit.lab.run_samples import Run

OWNER = (os.geteuid(), os.getegid())
SMALL = pyarrow.schema([("number", pyarrow.int64())])


@pytest.fixture(scope="module")
def run() -> Run:
    run = Run(Policy(threshold=200), duration_s=20)
    run.chronicle.ask("10.1.0.0")
    for tenth in range(200):
        many = 300 if 50 <= tenth < 90 else 5
        run.packets(tenth / 10 + 0.05, range(tenth * many, (tenth + 1) * many))
    run.loop.run()
    run.loop.finish()
    return run


def record(run: Run, path: Path, steps: int | None = None) -> Recorder:
    """Record a run's first steps; the file is finished where all are."""
    policy = Policy(threshold=200)
    recorder = Recorder(path, {"policy": policy.as_row(), "interface": "eth0"}, OWNER)
    recorder.start()
    epochs = iter(run.epochs)
    for tick in run.ticks[:steps]:
        ended = tick.observation.cardinality is not None
        recorder.step(tick, next(epochs) if ended else None)
    if steps is None:
        recorder.finish()
    return recorder


def replay(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    code = lab(["replay", "--recorded", str(path), "--format", "json"])
    out, error = capsys.readouterr()
    return code, json.loads(out) if out else {}, error


def test_recording_replays_to_the_same_decisions(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    assert record(run, path).failed is None
    code, found, _ = replay(path, capsys)
    assert code == 0
    assert found["identical"] is True
    assert found["steps"] == found["decisions_compared"] == len(run.ticks)
    assert found["packets"] == run.chronicle.totals.ledger.seen
    assert {switch["detail"] for switch in found["switches"]} == {"low", "high"}
    assert list(tmp_path.iterdir()) == [path]


def test_recording_is_a_table_of_the_run(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    record(run, path)
    rows = parquet.read_table(path).to_pylist()
    epochs = [row["epoch"] for row in rows if row["epoch"]]
    assert [epoch["packets"] for epoch in epochs] == [epoch["packets"] for epoch in run.epochs]
    assert epochs[0]["queries"][0]["key"] == "10.1.0.0"
    assert epochs[0]["top"][0]["kind"] == "exact"


def test_other_decision_ends_with_8_and_says_which(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    record(run, path)
    table = parquet.read_table(path)
    rows = table.to_pylist()
    rows[30]["decision"]["budget"] += 1
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    code, found, error = replay(path, capsys)
    assert (code, found["identical"]) == (8, False)
    assert "observation 30 at" in error
    assert "budget was" in error


def test_other_reason_ends_with_8(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    record(run, path)
    table = parquet.read_table(path)
    rows = table.to_pylist()
    row = next(row for row in rows if row["log"])
    row["log"][0]["cause"] = "a whim"
    parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)
    code, _, error = replay(path, capsys)
    assert code == 8
    assert "a whim" in error


def test_rows_are_what_the_schema_has(run: Run) -> None:
    rows = [step_row(tick, None) for tick in run.ticks[:3]]
    back = pyarrow.Table.from_pylist(rows, schema()).to_pylist()
    assert back == rows


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no recording"),
        (b"", "is not a recording"),
        (b"PAR1 and nothing else", "is not a recording"),
    ],
)
def test_what_is_no_recording_ends_with_7(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, problem: str
) -> None:
    path = tmp_path / "run.parquet"
    if content is not None:
        path.write_bytes(content)
    code, _, error = replay(path, capsys)
    assert code == 7
    assert f"error: {problem}" in error or f"{path} {problem}" in error
    assert "try: " in error


def test_parquet_of_something_else_ends_with_7(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.parquet"
    parquet.write_table(pyarrow.table({"a": [1]}), path)
    code, _, error = replay(path, capsys)
    assert code == 7
    assert f"error: {path} is Parquet, but no recording of a run" in error


def test_recording_of_another_version_ends_with_7(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    record(run, path)
    table = parquet.read_table(path)
    kept = json.loads(table.schema.metadata[KEY])
    kept["policy"]["patience"] = 3
    other = table.replace_schema_metadata({KEY: json.dumps(kept).encode()})
    parquet.write_table(other, path)
    code, _, error = replay(path, capsys)
    assert code == 7
    assert "is a recording of another version: a recorded policy has an unknown patience" in error


def test_replay_takes_a_trace_or_a_recording(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["replay"], ["replay", "trace.pcap", "--recorded", "run.parquet"]):
        assert lab(arguments) == 2
        assert "replay takes a TRACE or --recorded FILE" in capsys.readouterr().err


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with closing(Parts(tmp_path / "a.parquet", SMALL, OWNER)) as parts:
        yield parts


def numbers(path: Path) -> list[int]:
    found: list[int] = read(path).column("number").to_pylist()
    return found


def test_parts_are_whole_before_there_is_a_file(parts: Parts) -> None:
    parts.append([{"number": 1}, {"number": 2}])
    parts.append([{"number": 3}])
    assert parts.path.stat().st_size == 0
    assert numbers(parts.path) == [1, 2, 3]
    parts.finish()
    assert not parts_of(parts.path).exists()
    assert numbers(parts.path) == [1, 2, 3]


def test_part_that_cannot_be_written_leaves_nothing(parts: Parts) -> None:
    parts.append([{"number": 1}])
    with pytest.raises(pyarrow.ArrowException):
        parts.append([{"number": "one"}])
    assert [path.name for path in parts.folder.iterdir()] == ["000000.parquet"]


def test_file_that_cannot_be_made_leaves_the_parts(parts: Parts) -> None:
    parts.append([{"number": 1}])
    (parts.folder / "000001.parquet").write_bytes(b"torn")
    with pytest.raises((OSError, pyarrow.ArrowException)):
        parts.finish()
    assert parts.path.stat().st_size == 0
    assert (parts.folder / "000000.parquet").exists()


def test_earlier_parts_of_the_same_file_are_forgotten(parts: Parts) -> None:
    parts.append([{"number": 1}])
    with closing(Parts(parts.path, SMALL, OWNER)) as again:
        again.append([{"number": 2}])
        again.finish()
    assert numbers(parts.path) == [2]


def test_disk_that_is_too_slow_ends_the_recording(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.run.record.WAITING", 3)
    recorder = Recorder(tmp_path / "a.parquet", {}, OWNER)
    with closing(recorder.parts):
        for tick in run.ticks[:5]:
            recorder.step(tick, None)
    assert recorder.failed == "the disk is too slow"


def test_detail_is_kept_by_name(run: Run) -> None:
    details = {step_row(tick, None)["detail"] for tick in run.ticks}
    assert details == {detail.name.lower() for detail in Detail}
