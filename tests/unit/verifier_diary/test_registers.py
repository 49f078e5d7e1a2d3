from __future__ import annotations

import pytest

from verifier_diary.ranges import S64_MAX, S64_MIN, U64_MAX, Range
from verifier_diary.registers import parse_state, parse_value

VALUES = [
    "scalar()",
    "Pscalar(umax=8,var_off=(0x0; 0x8))",
    "scalar(smin=smin32=0,smax=umax=smax32=umax32=8,var_off=(0x0; 0x8))",
    "scalar(id=1+4,umax=255)",
    "inv(id=0,umax_value=4294967295,var_off=(0x0; 0xffffffff))",
    "invP(id=0)",
    "invP5",
    "inv-1",
    "P5",
    "-1",
    "0xffffffff",
    "fp0",
    "fp-16",
    "fp[1]-16",
    "ctx()",
    "ctx(off=8,imm=0)",
    "pkt(id=2,off=14,r=34,umax=255,var_off=(0x0; 0xff))",
    "pkt_end()",
    "map_value_or_null(id=1,map=counts,ks=4,vs=8)",
    "trusted_ptr_or_null_tcp6_sock(id=3,ref_obj_id=3)",
    "ptr_foo42()",
    "mem(sz=16,non_own_ref)",
    "dynptr_local(id=1)",
    "iter_num(ref_id=1,state=active,depth=0)",
    "mmmm????",
    "0000mmmm",
    "00000000",
    "mmmm1",
    "???",
    "inv,min_value=0,max_value=255",
    "",
]


@pytest.mark.parametrize("text", VALUES)
def test_value_prints_back(text: str) -> None:
    assert str(parse_value(text)) == text


def test_state_is_split_into_entries() -> None:
    text = "R1_rw=ctx() R2=scalar(var_off=(0x0; 0xff)) R10=fp0 fp-8_w=mmmm???? fp-16=ctx() refs=2,4"
    entries, rest = parse_state(text)
    assert [str(entry) for entry in entries] == [
        "R1_rw=ctx()",
        "R2=scalar(var_off=(0x0; 0xff))",
        "R10=fp0",
        "fp-8_w=mmmm????",
        "fp-16=ctx()",
    ]
    assert rest == ""
    assert [entry.register for entry in entries] == [1, 2, 10, None, None]
    assert [entry.slot for entry in entries] == [None, None, None, -8, -16]


def test_state_stops_at_the_first_stranger() -> None:
    entries, rest = parse_state("R1=0 refs=2 cb expected prog array map")
    assert len(entries) == 1
    assert rest == "expected prog array map"


def test_pointer_knows_its_kind_and_attributes() -> None:
    value = parse_value("rcu_ptr_or_null_sock(id=7,off=8)")
    assert (value.base, value.may_be_null, value.integer("off")) == ("ptr", True, 8)
    assert not value.is_scalar


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("5", Range.known(5)),
        ("inv-1", Range.known(-1)),
        ("0xffffffff", Range.known(0xFFFFFFFF)),
        ("scalar()", Range()),
        ("inv(id=0)", Range()),
    ],
)
def test_range_of_numbers(text: str, bounds: Range) -> None:
    assert parse_value(text).range == bounds


def test_range_reads_every_bound() -> None:
    value = parse_value(
        "scalar(smin=-5,smax=0xfffffff,umin=1,umax=7,smin32=-2,smax32=3,umin32=2,umax32=6,"
        "var_off=(0x0; 0xf))"
    )
    assert value.range == Range(-5, 0xFFFFFFF, 1, 7, -2, 3, 2, 6, (0, 15))


def test_range_reads_negative_bounds_in_hexadecimal() -> None:
    bounds = parse_value("scalar(smin=0xffffffff80000000,smax=0x7fffffff)").range
    assert (bounds.smin, bounds.smax) == (-(1 << 31), (1 << 31) - 1)


def test_range_follows_from_the_known_bits() -> None:
    bounds = parse_value("inv(id=0,umax_value=8,var_off=(0x0; 0x8))").range
    assert (bounds.umin, bounds.umax, bounds.smin, bounds.smax) == (0, 8, 0, 8)


def test_range_of_a_pointer_is_that_of_its_variable_part() -> None:
    assert parse_value("map_value(off=4,ks=4,vs=8)").range == Range.known(0)
    assert parse_value("pkt(id=1,r=0,umax=255,var_off=(0x0; 0xff))").range.high == 255


def test_range_low_and_high_say_what_is_useful() -> None:
    assert (Range().low, Range().high) == (S64_MIN, None)
    half = Range(smin=0, umax=U64_MAX, smax=S64_MAX)
    assert (half.low, half.high) == (0, None)
    assert Range(smin=-3, smax=9).low == -3
