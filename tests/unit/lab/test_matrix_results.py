"""What a guest sends, what its console says, and what is made of both."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.matrix import results
from lab.matrix.console import alarms
from lab.matrix.guest import reporting
from lab.matrix.guest.reporting import Reporter, decode, encode
from lab.matrix.guest.testing import Outcome
from lab.matrix.results import Results
from lab.matrix.verdict import Evidence, problem

KERNEL = {"release": "6.1.0", "btf": True, "features": {}}
GOOD = Results(True, KERNEL, exit_code=0)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def sent(*records: tuple[str, dict], exit_code: int | None = 0) -> str:
    file = io.BytesIO()
    reporter = Reporter(file)
    reporter.start()
    for kind, record in records:
        reporter.send(kind, record)
    end = f"{reporting.exit_line(exit_code)}\n" if exit_code is not None else ""
    return file.getvalue().decode() + end


def evidence(found: Results, **changes: object) -> Evidence:
    return replace(Evidence(found, 1.0, 120.0, 600.0, console="/c.log"), **changes)


def told(found: Results, **changes: object) -> str | None:
    wrong = problem(evidence(found, **changes))
    return wrong.text if wrong else None


@given(st.sampled_from(reporting.KINDS), st.dictionaries(st.text(), _json))
def test_a_record_comes_back_as_it_was_sent(kind: str, record: dict) -> None:
    line = encode(kind, record)
    assert "\n" not in line
    assert decode(line) == (kind, record)


def test_all_that_was_sent_arrives() -> None:
    text = sent(
        ("kernel", KERNEL),
        ("attempt", {"program": 7, "trouble": "none"}),
        ("test", {"test": "attach"}),
    )
    found = results.parse(text)
    assert found.started
    assert found.kernel == KERNEL
    assert found.attempts == {7: {"program": 7, "trouble": "none"}}
    assert found.tests == {"attach": {"test": "attach"}}
    assert (found.exit_code, found.damaged) == (0, ())


def test_what_comes_before_the_start_mark_is_ignored() -> None:
    assert results.parse(f"garbage\n{sent(('kernel', KERNEL))}").damaged == ()
    assert results.parse("attempt x\n") == Results()


def test_a_serial_port_may_end_lines_its_own_way() -> None:
    assert results.parse(sent(("kernel", KERNEL)).replace("\n", "\r\n")).kernel == KERNEL


def test_no_exit_code_is_none_and_not_zero() -> None:
    assert results.parse(sent(("kernel", KERNEL), exit_code=None)).exit_code is None


@pytest.mark.parametrize("harm", ["short", "changed", "unknown"])
def test_a_damaged_line_is_counted_and_the_others_are_read(harm: str) -> None:
    line = encode("test", {"test": "attach", "verdict": "passed"})
    broken = {"short": line[:-9], "changed": line.replace(line[20], "!"), "unknown": "x y"}[harm]
    found = results.parse(f"{sent(('kernel', KERNEL), exit_code=None)}{broken}\n")
    assert found.kernel == KERNEL
    assert found.tests == {}
    assert len(found.damaged) == 1


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert results.read(tmp_path / "none") == Results()
    assert results.count(tmp_path / "none") == 0


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: CPU: 0 PID: 1 at kernel/bpf/verifier.c:2389 check+0x1/0x2",
        "WARNING: kernel/bpf/verifier.c:748 at reg_bounds+0x1/0x2, CPU#0: python/60",
        "BUG: kernel NULL pointer dereference, address: 0000000000000008",
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
        "kernel BUG at mm/slub.c:4321!",
        "Oops: 0000 [#1] PREEMPT SMP",
        "general protection fault, probably for non-canonical address",
        "Kernel panic - not syncing: Attempted to kill init!",
    ],
)
def test_alarms_are_found_without_their_time_stamps(line: str) -> None:
    assert alarms(f"[    1.000000] fine\n[   12.345678] {line}\r\n") == (line,)
    assert alarms(f"[   12.345678][   T60] {line}") == (line,)


def test_ordinary_lines_are_no_alarms() -> None:
    text = "tsc: Unable to calibrate\nDEBUG: x\nWARNING: a driver does not like this machine\n"
    assert alarms(text) == ()


def test_a_good_run_has_no_problem() -> None:
    assert told(GOOD) is None


@pytest.mark.parametrize(
    ("found", "changes", "text"),
    [
        (Results(), {"engine": "no such file"}, "qemu did not run: no such file"),
        (Results(), {"timed_out": True}, "the guest never answered, in 120 s"),
        (Results(), {}, "the guest went off without an answer"),
        (
            Results(),
            {"alarms": ("Oops: 0", "Kernel panic - x")},
            "the kernel crashed before the guest answered: Kernel panic - x",
        ),
        (
            replace(GOOD, exit_code=None),
            {"timed_out": True},
            "the guest did not finish within 600 s",
        ),
        (replace(GOOD, exit_code=None), {}, "the guest went off without an exit code"),
        (
            replace(GOOD, exit_code=None),
            {"alarms": ("Oops: 0",), "timed_out": True},
            "the kernel crashed: Oops: 0",
        ),
        (replace(GOOD, exit_code=1), {}, "the guest's program ended with 1"),
        (replace(GOOD, exit_code=139), {}, "the guest's program ended with 139 (SIGSEGV)"),
        (replace(GOOD, damaged=("a", "b")), {}, "2 results arrived damaged: a"),
        (replace(GOOD, kernel=None), {}, "the guest did not say which kernel it is"),
        (
            replace(GOOD, kernel={**KERNEL, "btf": False}),
            {},
            "the kernel has no BTF (/sys/kernel/btf/vmlinux), so it cannot load these programs",
        ),
        (GOOD, {"alarms": ("WARNING: CPU: 0",)}, "the kernel warned: WARNING: CPU: 0"),
    ],
)
def test_what_is_wrong_with_a_run_is_said(found: Results, changes: dict, text: str) -> None:
    assert told(found, **changes) == text


def test_the_console_is_where_to_look() -> None:
    wrong = problem(evidence(Results()))
    assert wrong is not None
    assert wrong.try_ == "look at /c.log"


def test_a_test_that_compared_nothing_has_failed() -> None:
    assert Outcome().verdict == "failed"
    assert Outcome().message == "nothing was compared"
    assert Outcome(packets=1, bytes=0).verdict == "failed"
    assert Outcome(packets=1, bytes=1).verdict == "passed"


def test_differences_are_counted_and_the_first_are_told() -> None:
    outcome = Outcome(packets=1, bytes=1)
    for number in range(9):
        outcome.expect("the answer", number, 42)
    assert outcome.verdict == "failed"
    assert outcome.message is not None
    assert outcome.message.startswith("9 differences: the answer is 0, not 42; ")
    assert "is 8" not in outcome.message
