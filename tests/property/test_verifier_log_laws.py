"""Laws of the diary's reading of logs, on arbitrary text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verifier_diary.classes import BY_ID
from verifier_diary.classifier import classify
from verifier_diary.clean import clean
from verifier_diary.explain import explain
from verifier_diary.loops import Skipped, collapse
from verifier_diary.parser import parse_line
from verifier_diary.registers import parse_state, parse_value
from verifier_diary.report import render

# Pieces of real lines, so that arbitrary text comes close to a log often enough.
PIECES = st.sampled_from(
    [
        "0: ", "12: ", "(bf) ", "(15) ", "(85) ", "(18) ", "r1 = r2", "r1 += r2", "exit", "\n", " ",
        "if r1 > 0x5 goto pc+3", "goto pc-2", "call bpf_map_lookup_elem#1", "call pc+2", "; ",
        "R1=", "R2_w=", "fp-8=", "scalar(", "umax=5", ",", ")", "var_off=(0x0; 0xff)", "ctx()",
        "map_value_or_null(id=1,ks=4,vs=8)", "mmmm????", "from 1 to 12: ", "safe", "frame1: ",
        "*(u64 *)(r10 -8) = r1", "r1 = *(u8 *)(r0 +7)", "R1 invalid mem access 'scalar'",
        "invalid access to packet, off=1 size=1, R1(id=0,off=1,r=0)", "R2 !read_ok", "func#0 @0",
        "processed 5 insns (limit 1000000)", "Unreleased reference id=1 alloc_insn=0", " @ a.c:3",
        "caller:", "to caller at 2:", "Verification failed: Memory Safety: X", "Reason:", "At:",
        "libbpf: ", "-- BEGIN PROG LOAD LOG --", "-- END PROG LOAD LOG --", "regs=2 stack=0 before",
        "a.c:3:1: error: no", "BPF program is too large", "infinite loop detected at insn 0",
        "combined stack size of 2 calls is 608", "At program exit the register R0 has smin=2",
        "invalid read from stack R2 off -16+4 size 16", "\r\n", "\x1b[31m", "> ", "\t", "0x", "-1",
    ]
)  # fmt: skip
LIKE_LOGS = st.lists(PIECES | st.text(max_size=3), max_size=60).map("".join)
TEXTS = st.text(max_size=300) | LIKE_LOGS


@given(st.text() | LIKE_LOGS)
def test_a_line_prints_back_exactly(text: str) -> None:
    assert str(parse_line(text)) == text


@given(st.text() | LIKE_LOGS)
def test_a_value_prints_back_exactly(text: str) -> None:
    assert str(parse_value(text)) == text


@given(LIKE_LOGS)
def test_a_state_loses_nothing_but_the_gaps(text: str) -> None:
    entries, rest = parse_state(text)
    kept = "".join(str(entry) for entry in entries)
    assert (
        text.replace(" ", "").replace("\t", "").startswith(kept.replace(" ", "").replace("\t", ""))
    )
    assert text.endswith(rest)


@given(TEXTS)
def test_any_text_becomes_at_least_one_paste(text: str) -> None:
    pastes = clean(text)
    assert pastes
    assert all("\r" not in paste.log for paste in pastes)


@given(TEXTS)
def test_any_text_has_a_verdict_of_a_known_class(text: str) -> None:
    assert classify(text).class_id in BY_ID


@given(TEXTS)
def test_a_verdict_quotes_the_log(text: str) -> None:
    verdict = classify(text)
    if verdict.line is not None:
        assert verdict.message in text.split("\n")[verdict.line]


@given(TEXTS, st.text(max_size=40), st.sampled_from([None, 1, 7, 13, 22]))
def test_any_text_is_explained_and_rendered(text: str, loader: str, errno: int | None) -> None:
    diagnosis = explain(text, loader=loader, errno=errno, sources={"a.c": "int x;\ny();\n"})
    assert diagnosis.reason
    assert render(diagnosis)


@given(TEXTS)
def test_cleaning_a_clean_log_changes_nothing(text: str) -> None:
    for paste in clean(text):
        again = clean(paste.log)
        if len(again) == 1 and not again[0].loader:
            assert clean(again[0].log)[0].log == again[0].log


@given(st.lists(st.integers(0, 4), max_size=60))
def test_collapsing_keeps_count_and_order(items: list[int]) -> None:
    kept = collapse(items, lambda item: item)
    skipped = sum(part.items for part in kept if isinstance(part, Skipped))
    assert len([part for part in kept if not isinstance(part, Skipped)]) + skipped == len(items)
    assert kept[:1] == items[:1]
    assert kept[-1:] == items[-1:]
