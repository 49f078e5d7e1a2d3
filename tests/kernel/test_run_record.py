"""Recordings of real runs: whole, replayed, killed, on a full disk."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.cli import run as lab
from lab.toolchain import find
from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

SMALL = "256k"

pytestmark = [needs_root, needs_clang]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SMALL}", "none", str(folder)]
    subprocess.run([find("mount"), *options], check=True)
    try:
        yield folder
    finally:
        subprocess.run([find("umount"), "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def replayed(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = lab(["replay", "--recorded", str(path), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_recorded_run_replays_to_the_same_decisions(
    left: str, run: live.Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    process = run(left, "--record", str(path), "--threshold", "10", "--epoch", "0.3")
    for source in range(60):  # more than the bucket holds: it trips, and returns in the calm
        live.send("right", 1, source=source)
    while process.record().get("detail") != "low":
        pass
    while process.record().get("detail") != "high":
        pass
    code, records = process.end()
    found = live.summary(records)
    assert code == 0
    code, outcome = replayed(path, capsys)
    assert (code, outcome["identical"]) == (0, True)
    assert outcome["packets"] == found["packets"] == 60
    assert outcome["switches"] == found["switches"]
    assert [switch["detail"] for switch in found["switches"]][:2] == ["low", "high"]
    assert outcome["decisions_compared"] > outcome["epochs"]
    assert list(tmp_path.iterdir()) == [path]


def test_killed_run_leaves_parts_that_replay(
    left: str, run: live.Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    process = run(left, "--record", str(path), "--tick", "0.01", "--epoch", "0.1")
    parts = tmp_path / "run.parquet.parts"
    namespaces.wait_until(lambda: list(parts.glob("*.parquet")), "a part is written")
    process.process.kill()
    process.process.wait()
    code, outcome = replayed(path, capsys)
    assert (code, outcome["identical"]) == (0, True)
    assert outcome["decisions_compared"] >= 300


def test_full_disk_ends_the_recording_and_not_the_run(
    left: str, run: live.Runs, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_disk / "run.parquet"
    process = run(left, "--record", str(path), "--tick", "0.01", "--epoch", "0.1")
    parts = small_disk / "run.parquet.parts"
    namespaces.wait_until(lambda: list(parts.glob("*.parquet")), "a part is written")
    fill(small_disk)
    process.wait_for("the recording ended: no space left on device; the run goes on")
    live.send("right", 3)
    process.epoch_with(packets=3)
    code, records = process.end()
    assert code == 3
    assert live.summary(records)["packets"] == 3
    process.wait_for("try: `lab replay --recorded")
    assert f"error: the recording {path} ended early: no space left on device" in process.said
    code, outcome = replayed(path, capsys)
    assert (code, outcome["identical"]) == (0, True)
    assert outcome["decisions_compared"] >= 300


def test_recording_into_a_folder_that_is_not_there_ends_with_2(
    left: str, run: live.Runs, tmp_path: Path
) -> None:
    process = run(left, "--record", str(tmp_path / "none" / "run.parquet"), ready=False)
    assert process.ended() == (2, [])
    process.wait_for("try: another --record FILE")
    assert "error: cannot make the recording" in process.said
    assert live.attached(left) == []


def test_interrupted_recording_is_whole(
    left: str, run: live.Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.parquet"
    process = run(left, "--record", str(path))
    live.send("right", 2)
    assert process.end(signal.SIGINT)[0] == 130
    assert path.read_bytes()[-4:] == b"PAR1"
    assert replayed(path, capsys)[1]["packets"] == 2
