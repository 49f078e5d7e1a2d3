from __future__ import annotations

import pytest

from verifier_diary.logfile import GAP, Log
from verifier_diary.messages import messages

STATE = "0: R1=ctx() R10=fp0"
LAST = "7: (bf) r1 = r2"
SUMMARY = "processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0"


def said(*lines: str) -> list[str]:
    return [message.text for message in messages(Log("\n".join(lines)))]


@pytest.mark.parametrize(
    "rest", ["14:", "fp-8_", "R2_w=", "8: R", "8: frame1: ", "R7=map_value(map", "```", "-----"]
)
def test_what_is_left_of_a_cut_line_is_no_message(rest: str) -> None:
    assert said(STATE, LAST, rest) == []


def test_lines_of_level_2_are_no_messages() -> None:
    noise = ("SCC exit (0)", "SCC enter (0)", "mark_precise: frame0: regs=r2 stack= before 6: (95)")
    assert said(STATE, LAST, "R2 !read_ok", *noise, SUMMARY) == ["R2 !read_ok"]


def test_the_type_of_an_argument_is_a_note() -> None:
    assert said(STATE, LAST, "func 'sys_exit' arg0 has btf_id 27 type STRUCT 'pt_regs'") == []


def test_peoples_words_behind_a_log_without_a_summary_are_not_the_kernels() -> None:
    lines = (LAST, "R2 !read_ok", "", "What does `R9 invalid mem access 'scalar'` mean?")
    assert said(STATE, *lines) == ["R2 !read_ok"]


@pytest.mark.parametrize(
    "note",
    [
        "Global function f() doesn't return scalar. Only those are supported.",
        "arg#0 reference type('UNKNOWN ') size cannot be determined: -22",
        "reg type unsupported for arg#0 function f#7",
    ],
)
def test_notes_of_a_log_that_is_cut_behind_them_decide_nothing(note: str) -> None:
    assert said(note) == said(note, STATE) == []
    assert said(note, SUMMARY) == [note]


def test_a_verdict_behind_a_gap_counts() -> None:
    note = "arg#0 reference type('UNKNOWN ') size cannot be determined: -22"
    assert said(STATE, GAP, note) == [note]


def test_instructions_before_a_gap_are_not_where_it_happened() -> None:
    log = Log("\n".join((STATE, "; x = *p; @ a.c:3", LAST, GAP, "R2 !read_ok")))
    assert (log.instruction, log.source) == (None, None)
