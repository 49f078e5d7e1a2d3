from __future__ import annotations

import pytest

from verifier_diary.classifier import classify
from verifier_diary.explain import explain
from verifier_diary.model import Layer
from verifier_diary.report import render

SUMMARY = "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0"
NEW = ("0: R1=ctx() R10=fp0", "0: (b7) r0 = 0                        ; R0_w=0", "1: (95) exit")
OLD = ("0: (b7) r0 = 0", " R0_w=inv0 R1=ctx(id=0,off=0,imm=0) R10=fp0", "1: (95) exit")


def class_of_log(*lines: str, loader: str = "", errno: int | None = None) -> str:
    return classify("\n".join((*lines, SUMMARY)), loader, errno).class_id


@pytest.mark.parametrize("lines", [("func#0 @0", *NEW), OLD], ids=["level 2", "before 5.8"])
def test_a_log_that_complains_of_nothing_is_an_accepted_programs(lines: tuple[str, ...]) -> None:
    verdict = classify("\n".join((*lines, SUMMARY)))
    assert (verdict.class_id, verdict.layer, verdict.message) == ("accepted", Layer.NOBODY, "")


def test_level_1_keeps_the_failing_path_only() -> None:
    assert class_of_log(*NEW) == "no_message"


def test_a_summary_alone_tells_nothing() -> None:
    assert class_of_log() == "no_message"


@pytest.mark.parametrize(
    ("safe", "expected"),
    [
        ("Func#1 ('f') is safe for any args that match its prototype", "accepted"),
        ("", "no_message"),
    ],
)
def test_a_global_function_must_have_been_found_safe(safe: str, expected: str) -> None:
    lines = ("func#0 @0", "func#1 @5", "Validating f() func#1...", *NEW, safe)
    assert class_of_log(*lines) == expected


@pytest.mark.parametrize(
    ("loader", "errno"), [("prog 'x': BPF program load failed: Invalid argument", None), ("", 22)]
)
def test_a_load_that_failed_was_not_accepted(loader: str, errno: int | None) -> None:
    assert class_of_log("func#0 @0", *NEW, loader=loader, errno=errno) == "no_message"


def test_a_log_that_was_cut_is_not_taken_for_an_accepted_programs() -> None:
    assert class_of_log("17: (b7) r0 = 0                       ; R0_w=0", "18: (95) exit") == (
        "no_message"
    )


def test_the_report_says_plainly_that_nothing_was_rejected() -> None:
    first, *_ = render(explain("\n".join(("func#0 @0", *NEW, SUMMARY)))).split("\n")
    assert first == "accepted: The verifier accepted this program: no rejection"
