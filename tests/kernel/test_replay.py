"""`lab replay` with the kernel: both engines agree, and real captures give the known counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lab.cli import run
from simulator.traces import write_pcap
from simulator.traffic import frames_for, generate
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]
TRACES = os.environ.get("GLIMPSE_TRACES")
# Counted by an independent dissector: packets, IP packets, sources.
KNOWN = {
    "dev-merged-manysrc-60s.pcap.gz": (171_534, 163_980, 22_860),
    "dev-edge-l2l3.pcap.gz": (5_086, 4_008, 389),
    "dev-raw-snap64.pcap.gz": (163_980, None, 22_860),
}
VARIANTS = {
    "auto": [],
    "low": ["--detail", "low"],
    "trips": ["--exact-entries", "1000"],
    "two-cpus": ["--cpus", "2", "--exact-entries", "1000"],
    "high": ["--detail", "high", "--exact-entries", "500"],
    "jhash": ["--hash", "jhash", "--detail", "low"],
    "pms": ["--hash", "pms", "--detail", "low", "--cpus", "3"],
}


def replay(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    code = run(["replay", *map(str, arguments), "--engine", "both", "--format", "json"])
    out, error = capsys.readouterr()
    assert code == 0, error
    document: dict[str, Any] = json.loads(out)
    return document


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "mixed.pcap"
    traffic = generate("churn", 60_000, seed=3, rate=20_000, ipv6_share=0.3)
    with path.open("wb") as file:
        write_pcap(file, frames_for(*traffic))
    return path


@pytest.mark.parametrize("key", ["src", "flow"])
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_kernel_and_simulator_agree(
    key: str, variant: str, trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replay(capsys, trace, "--key", key, *VARIANTS[variant])
    assert found["twin_differences"] == 0
    assert found["ledger_difference"] == 0
    assert found["twin_compared"]["packets"] == found["packets"] == 60_000
    assert found["twin_compared"]["bytes"] > 1_000_000
    assert found["twin_compared"]["steps"] > 30  # of user space: what it saw, decided and logged
    assert (found["detail"]["trips"] > 0) is (variant in {"trips", "two-cpus"})


def test_engines_agree_where_the_policy_shortens_epochs(
    trace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replay(capsys, trace, "--memory", "24K", "--exact-entries", "1000")
    causes = {change["cause"] for change in found["epoch_changes"]}
    assert causes & {"fill", "estimated error"}
    assert found["epochs"]["count"] > 3  # as many as there are seconds
    assert found["twin_differences"] == found["ledger_difference"] == 0
    assert found["alarms"] == []


@pytest.mark.skipif(TRACES is None, reason="real captures not given: set GLIMPSE_TRACES=FOLDER")
@pytest.mark.parametrize("name", list(KNOWN))
def test_real_captures_give_the_known_counts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    packets, ip, sources = KNOWN[name]
    found = replay(capsys, Path(TRACES or "") / name)
    assert (found["packets"], found["keys"]) == (packets, sources)
    assert ip is None or found["ip"] == ip
    assert found["twin_differences"] == found["ledger_difference"] == 0


@pytest.mark.skipif(TRACES is None, reason="real captures not given: set GLIMPSE_TRACES=FOLDER")
def test_flows_of_a_real_capture_are_within_half_a_percent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = Path(TRACES or "") / "dev-merged-manysrc-60s.pcap.gz"
    found = replay(capsys, path, "--key", "flow", "--detail", "low")
    assert found["keys"] == pytest.approx(36_906, rel=0.005)
    assert found["twin_differences"] == 0


def test_missing_privilege_exits_with_4(
    trace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab import loader, privilege

    monkeypatch.setattr(
        loader, "permission_problem", lambda _: privilege.PermissionProblem("no CAP_BPF")
    )
    monkeypatch.setattr(loader.Object, "load", lambda *_: 1)
    assert run(["replay", str(trace), "--engine", "kernel"]) == 4
