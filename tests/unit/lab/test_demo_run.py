"""The demo without a kernel: the simulated engine, truth, checks, report, figure and command."""

from __future__ import annotations

import json
import signal
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.cli import run
from lab.datapath import DatapathSettings
from lab.demo import checks, report, scenario, simulated, tables, truth
from lab.demo.progress import Display
from lab.demo.recording import Offered, Recording
from lab.demo.scenario import Calm, Flood, Phase, Scenario
from lab.errors import EnvironmentProblem, PermissionProblem
from lab.evaluation.figures import timeline
from lab.output import plain
from simulator import geometry
from simulator.layout import KEYS, SRC
from simulator.policy import Policy
from simulator.traffic import frames_for, keys_of

POLICY = Policy(threshold=1000, exact_entries=4096)
FIELDS = {
    "schema",
    "packets",
    "bytes",
    "ip",
    "not_ip",
    "malformed",
    "keys",
    "detail",
    "ledger_difference",
    "twin_differences",
    "twin_compared",
    "memory",
    "accuracy",
    "environment",
}


def small(new_sources: int = 9000) -> Scenario:
    """Return a scenario of few packets: calm 2 s, flood 2 s, calm 3 s."""
    calm = Calm(frames_for(keys_of(np.arange(100), SRC, 1)))
    spoofed = keys_of(np.arange(1000, 1000 + new_sources), SRC, 1)[:, 1] >> np.uint64(32)
    sources = np.resize(spoofed.astype(np.uint32), 18_000)
    flood = Flood(sources, np.zeros(0, np.uint32), new_sources)
    phases = (
        Phase("calm", 2, calm, 1000.0),
        Phase("flood", 2, flood, 10_000.0),
        Phase("calm again", 3, calm, 1000.0),
    )
    return Scenario(phases, calm, flood)


def settings(key: str = "src") -> DatapathSettings:
    shape = geometry.for_memory(1 << 20, KEYS[key], 2)
    return DatapathSettings(shape, POLICY.exact_entries, seed=1)


def simulate(planned: Scenario, key: str = "src") -> Recording:
    return simulated.run(planned, settings(key), POLICY, Display(7))


def document_of(planned: Scenario, recording: Recording) -> dict[str, Any]:
    scored = truth.score(planned, recording)
    found: dict[str, Any] = plain(report.document(planned, recording, scored))
    return found


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(small())


@pytest.fixture(scope="module")
def document(recording: Recording) -> dict[str, Any]:
    return document_of(small(), recording)


def test_simulated_demo_passes_its_checks(document: dict[str, Any]) -> None:
    assert [check["passed"] for check in document["checks"]] == [True] * 4, document["checks"]


def test_simulated_demo_is_the_same_for_the_same_seed(document: dict[str, Any]) -> None:
    assert document_of(small(), simulate(small())) == document


def test_simulated_demo_counts_flows_too() -> None:
    found = document_of(small(), simulate(small(), "flow"))
    assert found["summary"]["settings"]["key"] == "flow"
    assert found["summary"]["keys"] == 9100


def test_summary_has_the_fields_of_a_replay(document: dict[str, Any]) -> None:
    summary = document["summary"]
    assert summary.keys() >= FIELDS
    assert summary["twin_differences"] is None
    assert summary["twin_compared"] is None
    assert summary["detail"]["trips"] == summary["detail"]["returns"] == 1


def test_truth_counts_the_keys_of_every_phase(document: dict[str, Any]) -> None:
    assert [phase["keys"] for phase in document["phases"]] == [100, 9000, 100]
    assert document["summary"]["keys"] == 9100


def test_exact_phase_has_no_errors(document: dict[str, Any]) -> None:
    accuracy = document["phases"][0]["accuracy"]
    assert (accuracy["one_minus_are"], accuracy["weighted"], accuracy["top100_are"]) == (1, 1, 0)


def test_details_of_a_phase_begin_with_what_held_before(document: dict[str, Any]) -> None:
    assert [phase["detail"] for phase in document["phases"]] == [
        ["high"],
        ["high", "low"],
        ["low", "high"],
    ]


def test_timeline_adds_up_to_all_packets(document: dict[str, Any]) -> None:
    seconds = POLICY.tick_ns / 1e9
    packets = sum(tick["packets_per_second"] for tick in document["timeline"]) * seconds
    assert packets == pytest.approx(document["summary"]["packets"])


def test_timeline_adds_up_to_the_keys_of_all_epochs(document: dict[str, Any]) -> None:
    seconds = POLICY.tick_ns / 1e9
    new = sum(tick["new_keys_per_second"] for tick in document["timeline"]) * seconds
    assert new == pytest.approx(sum(epoch["keys"] for epoch in document["epochs"]))


def test_truth_is_stretched_over_what_the_link_dropped(recording: Recording) -> None:
    offered = list(recording.offered)
    offered[1] = Offered(offered[1].packets + 180, 180, offered[1].seconds)
    found = document_of(small(), replace(recording, offered=offered))
    assert found["truth"] == "offered, the link dropped some"
    assert found["phases"][1]["unaccounted"] == 0
    assert found["phases"][1]["accuracy"]["one_minus_are"] < 1


def test_lost_packet_fails_the_accounts(recording: Recording) -> None:
    offered = list(recording.offered)
    offered[0] = replace(offered[0], packets=offered[0].packets + 1)
    check = document_of(small(), replace(recording, offered=offered))["checks"][1]
    assert (check["check"], check["passed"]) == ("accounted", False)
    assert check["found"].endswith("difference 1")


def test_flood_that_does_not_trip_fails() -> None:
    planned = small(new_sources=200)
    found = {c.name: c for c in checks_of(planned, simulate(planned))}
    assert (found["trip"].passed, found["trip"].found) == (False, "the flood did not trip")
    assert found["return"].passed is False


def test_missing_return_fails(recording: Recording) -> None:
    one_way = replace(recording, switches=recording.switches[:1])
    found = {c.name: c for c in checks_of(small(), one_way)}
    assert found["trip"].passed
    assert found["return"].found == "there was no return to High Detail"
    assert found["return"].passed is False


def checks_of(planned: Scenario, recording: Recording) -> list[checks.Check]:
    return checks.checks(planned, recording, truth.score(planned, recording))


def test_signal_ends_the_simulation_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    display = Display(7)
    monkeypatch.setattr(
        display, "sample", lambda s: s.seen < 5000 or signal.raise_signal(signal.SIGTERM)
    )
    recording = simulated.run(small(), settings(), POLICY, display)
    found = document_of(small(), recording)
    assert found["stopped_by"] == "SIGTERM"
    assert [phase["phase"] for phase in found["phases"]] == ["calm", "flood"]
    assert [check["passed"] for check in found["checks"]] == [True, True, True, None]
    assert found["summary"]["packets"] < 18_000


def test_tables_are_narrow_enough_for_a_terminal(document: dict[str, Any]) -> None:
    names = [title for title, _ in tables.tables(document)]
    assert names[-2:] == ["Switches", "Checks"]
    (flood,) = (row for row in dict(tables.tables(document))[names[0]] if row["phase"] == "flood")
    assert flood["detail"] == "high -> low"
    assert flood["per second"] == 10_000


def test_figure_is_the_same_for_the_same_document(document: dict[str, Any]) -> None:
    assert timeline.draw(document) == timeline.draw(json.loads(json.dumps(document)))


def test_figure_has_words_for_those_who_cannot_see_it(document: dict[str, Any]) -> None:
    svg = ET.fromstring(timeline.draw(document))
    space = "{http://www.w3.org/2000/svg}"
    assert svg.get("role") == "img"
    title, text = svg.find(f"{space}title"), svg.find(f"{space}desc")
    assert title is not None
    assert title.text == "Calm traffic, a flood of 9,000 new sources, calm again (simulator)"
    assert text is not None
    assert "to low detail (budget spent)" in (text.text or "")


def test_figure_shades_low_detail_from_trip_to_return(document: dict[str, Any]) -> None:
    trip, back = document["switches"]
    assert timeline.low_spans(document) == [(trip["time_s"], back["time_s"])]


def test_figure_shades_low_detail_to_the_end_without_a_return(document: dict[str, Any]) -> None:
    cut = document | {"switches": document["switches"][:1]}
    assert timeline.low_spans(cut)[-1][1] == document["epochs"][-1]["end_s"]
    assert timeline.draw(cut)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the command's own scenario small enough for a unit test."""
    monkeypatch.setattr(scenario, "FLOOD_RATE", 60_000.0)
    monkeypatch.setattr(scenario, "PACKETS_PER_SOURCE", 2)
    monkeypatch.setenv("GLIMPSE_KERNEL", "none")


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    def refuse(*_: object) -> None:
        raise PermissionProblem("CAP_NET_ADMIN is missing", try_="run it with sudo")

    monkeypatch.setattr("lab.demo.run._live", refuse)
    monkeypatch.delenv("GLIMPSE_KERNEL")


@pytest.mark.usefixtures("quick")
def test_command_writes_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "report"
    arguments = ["--seconds", "8", "--seed", "1", "--out", str(out), "--format", "json"]
    assert run(["demo", *arguments]) == 0
    printed = capsys.readouterr()
    assert (out / "demo.json").read_text() == printed.out
    assert json.loads(printed.out).keys() >= {"schema", "summary", "phases", "switches", "timeline"}
    assert f"wrote {out / 'timeline.svg'}" in printed.err
    assert sorted(p.name for p in out.iterdir()) == ["demo.json", "timeline.svg"]


@pytest.mark.usefixtures("refusing")
def test_machine_without_bpf_gets_the_simulator_and_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--seconds", "8", "--out", str(tmp_path)]) == EnvironmentProblem.exit_code
    printed = capsys.readouterr()
    assert "note: BPF cannot run here: CAP_NET_ADMIN is missing" in printed.err
    assert "try: run it with sudo" in printed.err
    assert "Accuracy against truth" in printed.out
    assert json.loads((tmp_path / "demo.json").read_text())["engine"] == "simulator"


@pytest.mark.usefixtures("refusing")
def test_kernel_that_is_insisted_on_has_no_substitute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLIMPSE_KERNEL", "local")
    assert run(["demo", "--out", str(tmp_path)]) == PermissionProblem.exit_code
    assert "error: CAP_NET_ADMIN is missing" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_failed_check_ends_with_8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scenario, "PACKETS_PER_SOURCE", 100)
    assert run(["demo", "--seconds", "8", "--out", str(tmp_path)]) == 8
    assert "error: trip: the flood did not trip; return: there was" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_missing_matplotlib_costs_only_the_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: object) -> bytes:
        raise ModuleNotFoundError("No module named 'matplotlib'")

    monkeypatch.setattr(timeline, "draw", missing)
    assert run(["demo", "--seconds", "8", "--out", str(tmp_path)]) == 0
    assert "note: no timeline.svg, because matplotlib is missing" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["demo.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--memory", "1"], 2, "hold no TFM"),
        (["--memory", "999T"], 2, "at most"),
        (["--seconds", "7"], 2, "is not in the range"),
        (["--threshold", "99"], 2, "is not in the range"),
        (["--trace", "no-such-file"], 7, "no-such-file: no such file"),
    ],
)
def test_bad_input_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    assert run(["demo", "--out", str(tmp_path), *arguments]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "try: " in error


def test_place_that_cannot_hold_the_report_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run(["demo", "--out", str(file / "report")]) == 2
    assert f"error: cannot make {file / 'report'}: not a directory" in capsys.readouterr().err
