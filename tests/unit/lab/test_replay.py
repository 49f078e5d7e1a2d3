"""`lab replay` on the simulator: its JSON, its accounts, and what it says of bad input."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.cli import run
from lab.controller import FinishedEpoch
from lab.replay.compare import Comparison
from lab.replay.timeline import Timeline
from simulator.frames import Frames
from simulator.geometry import Geometry
from simulator.glimpse import Glimpse, Retired
from simulator.layout import SRC, Detail, Setting
from simulator.policy import SECOND_NS, Policy
from simulator.traces import write_pcap
from simulator.traffic import frames_for, generate

PACKETS = 30_000


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "flood.pcap"
    frames = frames_for(*generate("spoofed-flood", PACKETS, seed=2, rate=20_000))
    junk = Frames.from_bytes([bytes(60), bytes(12) + b"\x08\x00" + bytes(4)], [0, 0])
    last = np.array([frames.times_ns.max()] * 2, np.uint64)
    junk = Frames(junk.data, junk.offsets, junk.captured, junk.lengths, last)
    with path.open("wb") as file:
        write_pcap(file, Frames.concatenate([frames, junk]))
    return path


def replay(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    code = run(["replay", *map(str, arguments), "--engine", "simulator", "--format", "json"])
    out, error = capsys.readouterr()
    assert code == 0, error
    document: dict[str, Any] = json.loads(out)
    return document


def test_replay_accounts_for_every_packet(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = replay(capsys, trace, "--seed", "1")
    assert found["packets"] == PACKETS + 2
    assert (found["ip"], found["not_ip"], found["malformed"]) == (PACKETS, 1, 1)
    assert found["ledger_difference"] == 0
    assert found["detail"]["high_packets"] + found["detail"]["low_packets"] == PACKETS
    assert found["twin_differences"] is None
    assert found["twin_compared"] is None
    assert found["environment"]["seed"] == 1


def test_replay_trips_where_the_table_is_too_small(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replay(capsys, trace, "--exact-entries", "500")
    assert found["detail"]["trips"] >= 1
    assert found["switches"][0]["cause"] == "exact table full"


def test_replay_with_a_seed_is_reproducible(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def once() -> dict[str, Any]:
        found = replay(capsys, trace, "--detail", "low", "--seed", "5", "--cpus", "2")
        del found["speed"]
        return found

    assert once() == once()


def test_forced_high_is_exact_where_the_table_is_large(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replay(capsys, trace, "--detail", "high", "--exact-entries", "100000")
    assert found["accuracy"]["one_minus_are"] == 1
    assert found["accuracy"]["heavy_hitter_f1"] is None
    assert found["detail"]["trips"] == 0


def test_memory_is_the_budget_of_all_buffers(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = replay(capsys, trace, "--memory", "256K", "--cpus", "2")["memory"]
    assert memory["tfm_bytes"] + memory["control_bytes"] == memory["low_detail_total_bytes"]
    assert memory["low_detail_total_bytes"] <= 256 << 10
    assert memory["ratio"] == memory["low_detail_total_bytes"] / memory["baseline_hash_bytes"]


def test_csv_has_one_row(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(trace), "--engine", "simulator", "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--memory", "1K"], 2, "at least"),
        (["--memory", "900T"], 2, "at most"),
        (["--memory", "lots"], 2, "is not a size"),
        (["--epoch", "0.05", "--tick", "0.1"], 2, "at least one tick"),
        (["--cpus", "0"], 2, "range"),
    ],
)
def test_bad_options_say_what_to_do(
    trace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert run(["replay", str(trace), "--engine", "simulator", *arguments]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "try: " in error


def whole(trace: Path) -> bytes:
    return trace.read_bytes()


BAD_FILES = {
    "missing": (None, "no such file"),
    "empty": (b"", "the file is empty"),
    "unknown": (b"this is no capture at all", "neither pcap nor pcapng"),
    "cut": ("cut", "whole packets before"),
    "gzip-cut": ("gzip-cut", "whole packets before"),
    "link-type": ("link-type", "link type"),
}


@pytest.mark.parametrize("name", list(BAD_FILES))
def test_bad_captures_exit_with_7(
    name: str, trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = BAD_FILES[name]
    path = tmp_path / "bad.pcap"
    if content == "cut":
        path.write_bytes(whole(trace)[:5000])
    elif content == "gzip-cut":
        path.write_bytes(gzip.compress(whole(trace))[:5000])
    elif content == "link-type":
        path.write_bytes(whole(trace)[:20] + b"\x69\0\0\0" + whole(trace)[24:])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    assert run(["replay", str(path), "--engine", "simulator"]) == 7
    error = capsys.readouterr().err
    assert said in error.lower()
    assert str(path) in error
    assert "try: " in error


def test_truncated_capture_loses_nothing_that_came_before(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(whole(trace)[:5000])
    assert run(["replay", str(path), "--engine", "simulator", "--format", "json"]) == 7
    out, error = capsys.readouterr()
    found = json.loads(out)
    assert found["packets"] > 50
    assert found["trace_complete"] is False
    assert f"whole packets before: {found['packets']}" in error


def test_timeline_cuts_at_ticks_and_epochs_and_never_goes_back() -> None:
    policy = Policy(epoch_ns=250_000_000, tick_ns=100_000_000)
    times = [0, 50, 99, 100, 20, 249, 250, 399]  # ms; one is out of order
    frames = Frames.from_bytes([bytes(60)] * len(times), [5 * SECOND_NS + t * 10**6 for t in times])
    timeline = Timeline(policy, cpus=1)
    batches = list(timeline.batches(frames))
    assert [len(batch) for batch in batches] == [3, 2, 1, 1, 1]
    clocks = np.concatenate([batch.clocks for batch in batches])
    assert (np.diff(clocks.astype(np.int64)) >= 0).all()
    assert timeline.now_ns == 5 * SECOND_NS + 399 * 10**6


def test_clock_is_never_zero() -> None:
    frames = Frames.from_bytes([bytes(60)], [0])
    assert next(Timeline(Policy(), 1).batches(frames)).clocks[0] == 1


def finished(seed: int = 1, packets: int = 5) -> FinishedEpoch:
    twin = Glimpse(Geometry(SRC, 1, 2, 2, 16), exact_entries=4, setting=Setting.HIGH, seed=seed)
    from simulator.parsing import parse

    frames = frames_for(*generate("constant", packets, seed=1, keys=3))
    twin.feed(parse(frames), np.ones(packets, np.uint64), np.ones(packets, np.uint64))
    retired: Retired = twin.swap_epoch()
    return FinishedEpoch(retired, 0, 1, 3.0, Detail.HIGH)


def test_comparison_counts_what_it_compared() -> None:
    comparison = Comparison()
    comparison.epochs(finished(), finished())
    assert (comparison.differences, comparison.packets, comparison.keys) == (0, 5, 3)
    assert comparison.bytes > 300


def test_comparison_sees_a_byte_a_record_and_a_control_word() -> None:
    comparison = Comparison()
    comparison.epochs(finished(seed=1), finished(seed=2))  # another secret in the header
    secrets = comparison.differences
    assert secrets > 200
    comparison.epochs(finished(packets=5), finished(packets=6))
    assert comparison.differences > secrets
    control = np.zeros(1, [("detail", "<u8")])
    other = control.copy()
    other["detail"] = 1
    before = comparison.differences
    comparison.control(control[0], other[0])
    assert comparison.differences == before + 1
    assert "control field detail" in " ".join(comparison.examples)
