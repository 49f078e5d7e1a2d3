from __future__ import annotations

from pathlib import Path

import pytest

from lab import environment
from verifier_diary.origin import Git


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc/self").mkdir(parents=True)
    return tmp_path


def test_environment_has_what_every_json_carries() -> None:
    record = environment.environment(seed=7)
    assert list(record) == ["kernel", "cpu", "cpus", "capabilities", "commit", "seed"]
    assert record["seed"] == 7


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        ("0000000000000000", []),
        ("0000000000000001", ["cap_chown"]),
        ("000000c000201000", ["cap_net_admin", "cap_sys_admin", "cap_perfmon", "cap_bpf"]),
        ("0000020000000000", ["cap_41"]),
    ],
)
def test_capabilities_are_named_by_bit(proc: Path, mask: str, names: list[str]) -> None:
    (proc / "proc/self/status").write_text(f"Name:\tlab\nCapPrm:\tffff\nCapEff:\t{mask}\n")
    assert environment.capabilities(proc) == names


def test_capabilities_are_unknown_without_proc(tmp_path: Path) -> None:
    assert environment.capabilities(tmp_path) is None


def test_cpu_model_is_the_kernels_name_for_it(proc: Path) -> None:
    (proc / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: AMD EPYC\ncores\t: 2\n")
    assert environment.cpu_model(proc) == "AMD EPYC"


@pytest.mark.parametrize(
    ("git", "commit"),
    [(Git(), None), (Git("abc", False), "abc"), (Git("abc", True), "abc-dirty")],
)
def test_commit_says_when_the_tree_differs(monkeypatch, git: Git, commit: str | None) -> None:
    monkeypatch.setattr(Git, "here", lambda: git)
    assert environment.commit() == commit
