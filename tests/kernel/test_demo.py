"""`lab demo` on a real hook: the whole way, and how it ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.cli import run
from simulator.frames import Frames
from simulator.traces import write_pcap
from simulator.traffic import frames_for, generate
from tests.kernel.conftest import needs_clang, needs_root

NAMESPACES = Path("/var/run/netns")
ROOT = Path(__file__).parents[2]
SHORT = ["--seconds", "8", "--seed", "1"]

pytestmark = [needs_root, needs_clang, pytest.mark.xdist_group("testbed")]


@pytest.fixture
def insisting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIMPSE_KERNEL", "local")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLIMPSE_KERNEL", "local")
        assert run(["demo", *SHORT, "--out", str(out)]) == 0
    assert (out / "timeline.svg").read_bytes().startswith(b"<?xml")
    document: dict[str, Any] = json.loads((out / "demo.json").read_text())
    return document


def test_demo_passes_its_checks(report: dict[str, Any]) -> None:
    assert report["engine"] == "kernel"
    assert [check["passed"] for check in report["checks"]] == [True] * 4, report["checks"]


def test_demo_accounts_for_every_packet(report: dict[str, Any]) -> None:
    assert report["summary"]["ledger_difference"] == 0
    assert [phase["unaccounted"] for phase in report["phases"]] == [0, 0, 0]
    assert sum(p["packets"] for p in report["phases"]) == report["summary"]["packets"]


def test_demo_trips_in_the_flood_and_returns_after(report: dict[str, Any]) -> None:
    calm, flood, again = report["phases"]
    trip, back = report["switches"][0], report["switches"][-1]
    assert (trip["detail"], back["detail"]) == ("low", "high")
    assert flood["begin_s"] <= trip["time_s"] < flood["end_s"] <= back["time_s"]
    assert calm["detail"] == ["high"]
    assert again["detail"][-1] == "high"


def test_demo_is_exact_while_it_is_calm(report: dict[str, Any]) -> None:
    assert report["phases"][0]["accuracy"]["one_minus_are"] == 1


def test_demo_is_accurate_in_the_flood(report: dict[str, Any]) -> None:
    assert report["phases"][1]["accuracy"]["weighted"] > 0.9


def test_demo_leaves_no_namespace(report: dict[str, Any]) -> None:
    assert not list(NAMESPACES.glob(f"glimpse-{os.getpid()}*"))


@pytest.mark.usefixtures("insisting")
def test_demo_sends_a_capture_as_calm_traffic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calm.pcap"
    traffic = frames_for(*generate("constant", 1000, 1, keys=50))
    arp = Frames.from_bytes([b"\xff" * 6 + bytes(6) + b"\x08\x06" + bytes(46)])
    too_long = Frames.from_bytes([bytes(4000)])
    with path.open("wb") as file:
        write_pcap(file, [traffic, arp, too_long])
    arguments = ["--trace", str(path), "--out", str(tmp_path / "out"), "--format", "json"]
    code = run(["demo", *SHORT, *arguments])
    out, error = capsys.readouterr()
    assert code == 0, error
    assert f"note: 1 frames of {path} do not fit an MTU of 1500" in error
    calm = json.loads(out)["phases"][0]
    assert calm["keys"] == 50
    assert calm["not_ip"] == calm["packets"] // 1001


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_signal_ends_the_demo_with_the_report_so_far(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "lab.cli", "demo", *SHORT, "--out", str(tmp_path)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "GLIMPSE_KERNEL": "local"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        said = [next(line for line in process.stderr if line.startswith("flood:"))]
        process.send_signal(number)
        said += process.stderr.readlines()
    assert process.returncode == code, said
    document = json.loads((tmp_path / "demo.json").read_text())
    assert document["stopped_by"] == number.name
    assert len(document["phases"]) == 2
    passed = {check["check"]: check["passed"] for check in document["checks"]}
    assert (passed["ledger"], passed["accounted"], passed["return"]) == (True, True, None)
    assert not list(NAMESPACES.glob(f"glimpse-{process.pid}*"))


def test_missing_tcpreplay_is_said_and_the_simulator_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lab.errors import EnvironmentProblem
    from lab.testbed import player

    def missing() -> str:
        raise EnvironmentProblem("tcpreplay is not installed", try_="apt-get install tcpreplay")

    monkeypatch.setenv("GLIMPSE_KERNEL", "auto")
    monkeypatch.setattr(player, "find_tcpreplay", missing)
    assert run(["demo", *SHORT, "--out", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert "note: BPF cannot run here: tcpreplay is not installed" in error
    assert not list(NAMESPACES.glob(f"glimpse-{os.getpid()}*"))
    assert json.loads((tmp_path / "demo.json").read_text())["engine"] == "simulator"
