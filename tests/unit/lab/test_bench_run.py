"""`lab bench` without a kernel: a suite whose times are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab import privilege
from lab.bench import bcc_lane, packets, subjects
from lab.bench.interleave import interleave
from lab.bench.lane import Facts, Lane
from lab.bench.setup import Setup
from lab.bench.streams import KeyStream
from lab.bench.suite import AGAIN, Subject, Suite
from lab.cli import run
from lab.libbpf import probe

COST = {"noop": 10.0, "noop again": 10.5, "hash": 110.0, "tfm": 40.0, "slow_noop": 50.0}
COST["bcc_hash"] = 200.0
REQUIRED = {
    "subject",
    "keys",
    "n_keys",
    "ns_median",
    "ns_low",
    "ns_high",
    "ratio_to_hash",
    "instructions",
}


class FakeLane:
    """Takes the time it is told to, and keeps a diary of who was measured when."""

    def __init__(self, name: str, log: list[str]) -> None:
        self._name, self._log = name, log
        self.facts = Facts(instructions=100, jited_bytes=200, memory_bytes=300)

    def measure(self) -> float:
        self._log.append(self._name)
        return COST[self._name]


def fake_suite(log: list[str]) -> Suite:
    def open_lanes(
        setup: Setup, stream: KeyStream, names: Sequence[str], stack: ExitStack
    ) -> dict[str, Lane]:
        log.append(f"{stream.name} {stream.n_keys}")
        return {name: FakeLane(name, log) for name in names}

    known = (
        Subject("noop", "nothing", "noop", "harness"),
        Subject("hash", "a hash map", "noop"),
        Subject("tfm", "the sketch", "noop"),
        Subject("bcc_hash", "bcc", "slow_noop"),
    )
    return Suite("updates", {subject.name: subject for subject in known}, "hash", open_lanes)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(subjects, "UPDATES", fake_suite(calls))
    monkeypatch.setattr(packets, "PROGRAMS", fake_suite(calls))
    monkeypatch.setattr(bcc_lane, "available", lambda: None)
    monkeypatch.setattr(probe, "helper", lambda name: True)
    monkeypatch.setattr(privilege, "missing_capabilities", tuple)
    monkeypatch.delenv("GLIMPSE_TRACES", raising=False)
    return calls


def bench(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code = run(["bench", *arguments, "--format", "json"])
    out, error = capsys.readouterr()
    assert code == 0, error
    document: dict[str, Any] = json.loads(out)
    return document


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["bench", *arguments])
    return code, capsys.readouterr().err


def test_quick_measures_hash_and_tfm_on_two_streams(
    log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, "--quick", "--seed", "1")
    rows = found["results"]
    assert {(row["subject"], row["keys"]) for row in rows} == {
        (subject, stream) for subject in ("hash", "tfm") for stream in ("zipf-1.1", "distinct")
    }
    assert all(row["n_keys"] == 100_000 and row["repeats"] == 10 for row in rows)
    assert all(row.keys() >= REQUIRED and None not in row.values() for row in rows)


def test_cost_is_without_the_harness_and_ratios_are_to_the_hash(
    log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, "--streams", "zipf-1.1", "--keys", "100")
    cost = {row["subject"]: (row["ns_median"], row["ratio_to_hash"]) for row in found["results"]}
    assert cost == {
        "noop": (0.5, 0.005),
        "hash": (100.0, 1.0),
        "tfm": (30.0, 0.3),
        "bcc_hash": (150.0, 1.5),
    }


def test_document_names_schema_seed_and_machine(
    log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, "--quick", "--seed", "7", "--cpus", "all")
    assert found["schema"] == 1
    assert found["environment"]["seed"] == 7
    assert found["environment"].keys() >= {
        "kernel",
        "cpu",
        "capabilities",
        "mitigations",
        "commit",
        "governor",
        "steal_share",
        "others_share",
    }
    assert len(found["settings"]["cpus"]) == found["results"][0]["cpus"]


def test_every_number_of_keys_is_a_case(log: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    bench(capsys, "--streams", "zipf-0.8,distinct", "--keys", "10,20", "--subjects", "tfm")
    cases = [line for line in log if " " in line and AGAIN not in line]
    assert cases == ["zipf-0.8 10", "distinct 10", "zipf-0.8 20", "distinct 20"]


def test_missing_bcc_leaves_its_row_out_and_says_so(
    log: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bcc_lane, "available", lambda: "no bcc here")
    code = run(["bench", "--streams", "distinct", "--keys", "10", "--format", "json"])
    out, error = capsys.readouterr()
    assert code == 0
    assert "note: bcc_hash is left out: no bcc here" in error
    found = json.loads(out)
    assert found["skipped"] == {"bcc_hash": "no bcc here"}
    assert "bcc_hash" not in {row["subject"] for row in found["results"]}


def test_programs_are_compared_with_the_suites_reference(
    log: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, "--programs", "--streams", "distinct", "--keys", "10")
    assert found["suite"] == "updates"  # the fake's own name
    assert {row["ratio_to_hash"] for row in found["results"]} >= {1.0, 0.3}


def test_out_leaves_rows_repeats_and_environment(
    log: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = bench(capsys, "--quick", "--out", str(tmp_path / "new"))
    with (tmp_path / "new/updates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["subject"] for row in rows] == [row["subject"] for row in found["results"]]
    assert [float(row["ns_median"]) for row in rows] == [
        row["ns_median"] for row in found["results"]
    ]
    with (tmp_path / "new/updates-repeats.csv").open() as file:
        single = list(csv.DictReader(file))
    assert len(single) == 2 * 10 * len(["noop", "hash", "tfm"])
    environment = json.loads((tmp_path / "new/environment.json").read_text())
    assert environment["updates"]["environment"]["seed"] == found["environment"]["seed"]


def test_interrupted_run_leaves_the_cases_that_are_done(
    log: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(self: FakeLane) -> float:
        if log[-1] == "distinct 20":
            raise KeyboardInterrupt
        return COST[self._name]

    monkeypatch.setattr(FakeLane, "measure", measure)
    arguments = ["--streams", "distinct", "--keys", "10,20", "--subjects", "tfm"]
    assert run(["bench", *arguments, "--out", str(tmp_path)]) == 130
    with (tmp_path / "updates.csv").open() as file:
        assert [row["n_keys"] for row in csv.DictReader(file)] == ["10"]
    environment = json.loads((tmp_path / "environment.json").read_text())
    assert environment["updates"]["cases"] == {"done": 1, "of": 2}


def test_environment_file_of_another_kind_is_not_overwritten(
    log: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "environment.json").write_text("not json")
    code, error = failure(capsys, "--quick", "--out", str(tmp_path))
    assert code == 7
    assert "environment.json is not JSON, and would be overwritten" in error
    assert "try: move it away, or another --out DIR" in error
    assert log == []


def test_folder_that_cannot_be_made_is_explained(
    log: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    code, error = failure(capsys, "--quick", "--out", str(tmp_path / "file/new"))
    assert code == 2
    assert "cannot make" in error
    assert "try: another --out DIR" in error


def test_every_repeat_measures_every_lane_in_an_order_of_its_own() -> None:
    log: list[str] = []
    lanes = {name: FakeLane(name, log) for name in ("noop", "hash", "tfm")}
    samples = interleave(lanes, 10, np.random.default_rng(1), lambda steps=1: None)
    orders = [tuple(log[i : i + 3]) for i in range(0, 30, 3)]
    assert all(sorted(order) == ["hash", "noop", "tfm"] for order in orders)
    assert len(set(orders)) > 1
    assert {name: list(values) for name, values in samples.items()} == {
        name: [COST[name]] * 10 for name in lanes
    }


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (
            ("--streams", "zipf-9"),
            ("there is no key stream zipf-9", "try: one of: zipf-0.8, zipf-1.0"),
        ),
        (("--subjects", "magic"), ("there is no subject magic", "one of: noop, hash, tfm")),
        (("--keys", "5"), ("'5': each must be 10 to 4,000,000",)),
        (("--keys", "many"), ("'many' is not a list of numbers such as 1000,100000",)),
        (("--repeats", "3"), ("3 is not in the range 10<=x<=10000",)),
        (
            ("--programs", "--cpus", "all"),
            ("--programs runs on one CPU", "try: without --cpus all"),
        ),
    ],
)
def test_wrong_arguments_are_explained(
    arguments: tuple[str, ...],
    texts: tuple[str, ...],
    log: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, error = failure(capsys, *arguments)
    assert code == 2
    assert all(text in error for text in texts), error


def test_kernel_without_bpf_loop_is_explained(
    log: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "helper", lambda name: False)
    code, error = failure(capsys, "--quick")
    assert code == 3
    assert "needs bpf_loop(), which this kernel does not have" in error
    assert "try: Linux 5.17 or later" in error


def test_missing_privilege_is_explained(
    log: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privilege, "missing_capabilities", lambda: ("CAP_BPF", "CAP_NET_ADMIN"))
    code, error = failure(capsys, "--quick")
    assert code == 4
    assert "the benchmark loads programs, which needs CAP_BPF and CAP_NET_ADMIN" in error
    assert "try: run it with sudo; --simulator needs no privilege" in error


def test_bcc_that_is_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.errors import EnvironmentProblem

    monkeypatch.setattr(bcc_lane, "available", lambda: "no kernel headers")
    with pytest.raises(EnvironmentProblem, match="bcc_hash cannot be measured: no kernel headers"):
        bcc_lane.harness(None)  # type: ignore[arg-type]
