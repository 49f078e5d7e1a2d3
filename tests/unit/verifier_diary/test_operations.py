from __future__ import annotations

import pytest

from verifier_diary.operations import CALLER_SAVED, Kind, Operation, operation_of

OPERATIONS = [
    ("r1 = r2", Operation(Kind.COPY, "R1", ("R2",))),
    ("w1 = w2", Operation(Kind.COPY, "R1", ("R2",))),
    ("r0 = (s8)r1", Operation(Kind.COPY, "R0", ("R1",))),
    ("r1 = -5", Operation(Kind.SET, "R1")),
    ("r1 = 0xffff8881048d0200", Operation(Kind.SET, "R1")),
    ("r1 = <address>", Operation(Kind.SET, "R1")),
    ("r1 += r2", Operation(Kind.COMPUTE, "R1", ("R1", "R2"))),
    ("w1 &= 15", Operation(Kind.COMPUTE, "R1", ("R1",))),
    ("r1 <<= 32", Operation(Kind.COMPUTE, "R1", ("R1",))),
    ("r1 s>>= 32", Operation(Kind.COMPUTE, "R1", ("R1",))),
    ("r1 = -r1", Operation(Kind.COMPUTE, "R1", ("R1", "R1"))),
    ("r1 = be16 r1", Operation(Kind.COMPUTE, "R1", ("R1", "R1"))),
    ("r1 = *(u64 *)(r2 +8)", Operation(Kind.LOAD, "R1", ("R2",), "R2", 8, 8)),
    ("r1 = *(s8 *)(r10 -1)", Operation(Kind.LOAD, "R1", ("R10",), "R10", -1, 1)),
    ("*(u32 *)(r10 -8) = r3", Operation(Kind.STORE, None, ("R3",), "R10", -8, 4)),
    ("*(u64 *)(r10 -8) = 0", Operation(Kind.STORE, None, (), "R10", -8, 8)),
    ("lock *(u64 *)(r1 +0) += r2", Operation(Kind.STORE, None, ("R2",), "R1", 0, 8)),
    (
        "r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)",
        Operation(Kind.LOAD, "R2", ("R1", "R2"), "R1", 0, 8),
    ),
    ("if r1 > 0x5 goto pc+3", Operation(Kind.BRANCH, sources=("R1",), offset=3,
                                        condition="r1 > 0x5")),
    ("if w1 s< w2 goto pc-3", Operation(Kind.BRANCH, sources=("R1", "R2"), offset=-3,
                                        condition="w1 s< w2")),
    ("may_goto pc+1", Operation(Kind.BRANCH, offset=1, condition="may_goto")),
    ("goto pc+9", Operation(Kind.JUMP, offset=9)),
    ("gotol pc-9", Operation(Kind.JUMP, offset=-9)),
    ("call bpf_map_lookup_elem#1",
     Operation(Kind.CALL, "R0", CALLER_SAVED, name="bpf_map_lookup_elem")),
    ("call 1", Operation(Kind.CALL, "R0", CALLER_SAVED, name="bpf_map_lookup_elem")),  # 4.9
    ("call pc+5", Operation(Kind.ENTER, offset=5)),
    ("exit", Operation(Kind.EXIT)),
    ("r0 = *(u8 *)skb[r7 + 0]", Operation(Kind.LOAD, "R0", ("R6", "R7"))),
    ("something else", Operation(Kind.OTHER)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "operation"), OPERATIONS)
def test_an_instruction_is_understood(text: str, operation: Operation) -> None:
    assert operation_of(text) == operation


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("*(u64 *)(r10 -8) = r1", "fp-8"),
        ("*(u8 *)(r10 -3) = r1", "fp-8"),
        ("r1 = *(u32 *)(r10 -16)", "fp-16"),
        ("r1 = *(u32 *)(r2 -16)", None),
    ],
)
def test_a_stack_slot_is_named_as_states_name_it(text: str, slot: str | None) -> None:
    assert operation_of(text).slot == slot
