from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.conftest import FORCE, needs_root
from verifier_diary import journal, recorder_setup
from verifier_diary.recorder_setup import RecorderUnavailable

pytestmark = [needs_root, pytest.mark.xdist_group("tracepoints")]

ROOT = Path(__file__).parent.parent.parent
TESTS = f"""
import subprocess, sys
from tests.kernel import raw_bpf


def test_itself():
    raw_bpf.load(raw_bpf.REJECTED, name="itself")


def test_child():
    subprocess.run([sys.executable, {str(ROOT / "tests/kernel/raw_bpf.py")!r}, "1"], check=True)


def test_bcc():
    from verifier_diary import kernel_headers
    kernel_headers.export()
    import bcc
    bpf = bcc.BPF(text=b"int first_byte(struct xdp_md *c) {{ return *(char *)(long)c->data; }}")
    try:
        bpf.load_func(b"first_byte", bcc.BPF.XDP)
    except Exception:
        pass


def test_twice():
    for _ in range(2):
        raw_bpf.load(raw_bpf.REJECTED, name="twice")
"""


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_every_rejection_of_a_run_is_written_once_with_its_test(
    tmp_path: Path, journal_directory: Path, options: list[str]
) -> None:
    try:
        recorder_setup.prepare()
    except RecorderUnavailable as problem:
        if os.environ.get(FORCE) == "local":
            pytest.fail(f"{problem} ({FORCE}=local forbids skipping)", pytrace=False)
        pytest.skip(f"{problem}; {problem.try_}")
    (tmp_path / "test_it.py").write_text(TESTS)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    for name in ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-p", "verifier_diary.pytest_plugin"]
    done = subprocess.run(
        [*command, "--diary-watch", *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^flight recorder: 5 rejections, 0 lost; ", done.stdout, re.MULTILINE)
    assert re.search(r"^verifier diary: 0 accepted, 1 rejected; ", done.stdout, re.MULTILINE)
    written = sorted((a.program.function, a.origin.test) for a in journal.read(journal_directory))
    assert written == [
        ("first_byte", "test_it.py::test_bcc"),
        ("itself", "test_it.py::test_itself"),
        ("raw0", "test_it.py::test_child"),
        ("twice", "test_it.py::test_twice"),
        ("twice", "test_it.py::test_twice"),
    ]
