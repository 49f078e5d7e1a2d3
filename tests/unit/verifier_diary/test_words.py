from __future__ import annotations

import pytest

from verifier_diary import words
from verifier_diary.registers import parse_value

PHRASES = [
    ("5", "the number 5"),
    ("scalar()", "a number that may be anything"),
    ("scalar(umax=255,var_off=(0x0; 0xff))", "a number from 0 to 255"),
    ("scalar(smin=-5,smax=9)", "a number from -5 to 9"),
    ("scalar(smax=64)", "a number of at most 64, without a lower bound"),
    ("scalar(smin=0,umax=0x7fffffffffffffff)", "a number of at least 0, without an upper bound"),
    (
        "scalar(smin=0,smax=umax=0xffffffff,smax32=64,var_off=(0x0; 0xffffffff))",
        "a number from 0 to 4294967295 (as a signed 32-bit number from -2147483648 to 64)",
    ),
    ("pkt(r=0)", "a packet pointer, no byte known"),
    ("pkt(off=14,r=34)", "a packet pointer, offset 14, 34 bytes known"),
    (
        "pkt(id=1,off=14,r=0,umax=255,var_off=(0x0; 0xff))",
        "a packet pointer, offset 14..269, no byte known",
    ),
    (
        "map_value_or_null(id=1,map=counts,ks=4,vs=8)",
        "a pointer into a map value of 8 bytes, map counts, or NULL",
    ),
    ("map_ptr(map=counts,ks=4,vs=8)", "a map, map counts"),
    ("fp-16", "a stack pointer, fp-16"),
    ("ctx()", "the context"),
    ("trusted_ptr_task_struct()", "a pointer to struct task_struct (trusted)"),
    (
        "rcu_ptr_or_null_cgroup(id=2)",
        "a pointer to struct cgroup (rcu), or NULL",
    ),
    ("ringbuf_mem(ref_obj_id=2,sz=8)", "a pointer to memory (ringbuf) of 8 bytes"),
    ("untrusted_ptr_task_struct()", "a pointer to struct task_struct (untrusted)"),
    ("mmmm????", "8 stack bytes: never written, data"),
]


@pytest.mark.parametrize(("text", "phrase"), PHRASES)
def test_a_value_is_put_into_words(text: str, phrase: str) -> None:
    assert words.describe(parse_value(text)) == phrase


def test_what_the_log_does_not_say_is_unknown() -> None:
    assert words.describe(None) == "unknown to the log"


@pytest.mark.parametrize(
    ("text", "span"),
    [("5", "5"), ("scalar()", "?..?"), ("scalar(umax=9)", "0..9"), ("scalar(smin=-1)", "-1..?")],
)
def test_a_span_marks_missing_bounds(text: str, span: str) -> None:
    assert words.span(parse_value(text).range) == span
