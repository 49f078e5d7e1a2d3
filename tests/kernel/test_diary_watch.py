from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.build import Build
from lab.toolchain import find
from tests.kernel import raw_bpf
from tests.kernel.conftest import FORCE, needs_clang, needs_root
from verifier_diary import journal, recorder_setup
from verifier_diary.recorder_setup import RecorderUnavailable

pytestmark = [needs_root, pytest.mark.xdist_group("tracepoints")]

ROOT = Path(__file__).parent.parent.parent
RAW = str(ROOT / "tests/kernel/raw_bpf.py")
DEADLINE_S = 60
LAB = (sys.executable, "-m", "lab.cli", "diary", "watch")
Watch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module", autouse=True)
def _recorder_works() -> None:
    try:
        recorder_setup.prepare()
    except RecorderUnavailable as problem:
        reason = f"{problem}; {problem.try_}"
        if os.environ.get(FORCE) == "local":
            pytest.fail(f"{reason} ({FORCE}=local forbids skipping)", pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def environment(journal_directory: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "GLIMPSE_JOURNAL": str(journal_directory)}


@pytest.fixture
def watch(environment: dict[str, str]) -> Iterator[Watch]:
    """Start `lab diary watch`, and wait until it watches."""
    with ExitStack() as running:

        def start(*arguments: str) -> subprocess.Popen[str]:
            process = running.enter_context(
                subprocess.Popen(
                    [*LAB, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            running.callback(process.kill)
            assert process.stderr
            for line in process.stderr:
                if line.startswith("watching "):
                    return process
            pytest.fail("it ended before it watched")

        yield start


def run(environment: dict[str, str], *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


def records(process: subprocess.Popen[str], wanted: set[str]) -> list[dict[str, Any]]:
    """Read until all these programs were seen; other loads of the machine are passed over."""
    assert process.stdout
    seen = []
    for line in process.stdout:
        record = json.loads(line)
        if record.get("program") in wanted:
            seen.append(record)
        if wanted <= {one["program"] for one in seen}:
            return seen
    pytest.fail(f"it ended with {seen}")


@needs_clang
def test_the_whole_machine_is_watched_until_interrupted(
    watch: Watch,
    environment: dict[str, str],
    compiled: Callable[..., Build],
    journal_directory: Path,
) -> None:
    text = (
        '#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nSEC("xdp") int a_stranger('
        'struct xdp_md *c) { return *(char *)(long)c->data; }\nchar L[] SEC("license") = "GPL";\n'
    )
    process = watch("--format", "jsonl")
    run(environment, find("bpftool"), "prog", "load", compiled(text).object, "/sys/fs/bpf/never")
    run(environment, sys.executable, RAW, "1")
    raw_bpf.load(raw_bpf.REJECTED, name="in_this_process")
    seen = records(process, {"a_stranger", "raw0", "in_this_process"})
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert {one["comm"] for one in seen} >= {"bpftool"}
    assert len(seen) == 3
    assert all("processed " in one["log"] for one in seen)
    assert "0 lost" in err
    last = json.loads(out.splitlines()[-1])
    assert (last["outcome"], last["lost"]) == ("summary", 0)
    written = {a.program.function for a in journal.read(journal_directory)}
    assert {"a_stranger", "raw0", "in_this_process"} <= written


def test_a_command_is_watched_with_all_that_it_starts_and_nothing_else(watch: Watch) -> None:
    child = f"{sys.executable} {RAW} 2; read line; exit 3"
    process = watch("--format", "jsonl", "--", "sh", "-c", child)
    seen = records(process, {"raw0", "raw1"})
    raw_bpf.load(raw_bpf.REJECTED, name="outsider")
    out, err = process.communicate("go on\n", timeout=DEADLINE_S)
    assert process.returncode == 3
    assert [one["program"] for one in seen] == ["raw0", "raw1"]
    assert "outsider" not in out
    assert re.search(r"^2 rejections, 0 lost; journal: ", err, re.MULTILINE)


def test_people_get_a_line_per_rejection(environment: dict[str, str]) -> None:
    done = run(environment, *LAB, "--", sys.executable, RAW, "1")
    head, line = done.stdout.splitlines()
    assert head.split() == ["TIME", "PID", "COMMAND", "PROGRAM", "ERROR", "MESSAGE"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} +\d+  python\S* +raw0 +EACCES +R0 !read_ok", line)
    assert done.returncode == 0


def test_terminated_it_ends_well(watch: Watch) -> None:
    process = watch()
    process.terminate()
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert "journal: " in err


def test_interrupted_with_a_command_it_ends_both(watch: Watch) -> None:
    process = watch("--", "sleep", "60")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "interrupted" in err


def test_a_closed_pipe_ends_it_well(environment: dict[str, str]) -> None:
    pipe = f"{' '.join(LAB)} -- {sys.executable} {RAW} 50 | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = run(environment, "bash", "-c", pipe)
    assert done.stdout.startswith("TIME")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_duration_ends_it(environment: dict[str, str]) -> None:
    assert run(environment, *LAB, "--duration", "0.2").returncode == 0


def test_a_missing_command_is_named_before_anything_starts(environment: dict[str, str]) -> None:
    done = run(environment, *LAB, "--", "no-such-program-anywhere", "--option")
    assert done.returncode == 2
    assert done.stderr == (
        "error: cannot run no-such-program-anywhere: there is no such program\n"
        "try: lab diary watch -- COMMAND [ARGUMENTS]\n"
    )


def test_without_headers_it_says_what_to_do(environment: dict[str, str]) -> None:
    done = run(environment | {"BCC_KERNEL_SOURCE": "/nowhere"}, *LAB, "--duration", "1")
    assert done.returncode == 3
    assert done.stderr == (
        "error: BCC_KERNEL_SOURCE=/nowhere is no folder of kernel headers\n"
        "try: unset BCC_KERNEL_SOURCE, or name another\n"
    )
