from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from verifier_diary.processes import Process, may_load, process

ROOT_MAP = f"         0          0 {(1 << 32) - 1}\n"


def fake(tmp_path: Path, capabilities: str, uid_map: str = ROOT_MAP) -> Path:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "status").write_text(f"Name:\tx\nCapEff:\t{capabilities}\n")
    (folder / "uid_map").write_text(uid_map)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc; run it there")
def test_this_process_is_found() -> None:
    assert process(os.getpid()).argv[0]


def test_a_process_that_is_gone_says_nothing(tmp_path: Path) -> None:
    assert process(1, tmp_path) == Process()
    assert may_load(1, tmp_path) is None


def test_the_test_is_read_from_the_environment() -> None:
    environment = b"PATH=/bin\0PYTEST_CURRENT_TEST=tests/a.py::test_b[x (y)] (setup)\0"
    assert Process.of(b"python\0-m\0", environment) == Process(
        ("python", "-m"), "tests/a.py::test_b[x (y)]"
    )


@pytest.mark.parametrize(
    ("capabilities", "allowed"),
    [("000001ffffffffff", True), ("0000008000000000", True), ("0000000000000000", False)],
)
def test_the_capability_decides_who_may_load(
    tmp_path: Path, capabilities: str, allowed: bool
) -> None:
    assert may_load(7, fake(tmp_path, capabilities)) is allowed


def test_capabilities_in_a_user_namespace_are_worth_nothing(tmp_path: Path) -> None:
    root = fake(tmp_path, "000001ffffffffff", "         0       1000          1\n")
    assert may_load(7, root) is False
