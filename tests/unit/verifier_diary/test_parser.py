from __future__ import annotations

from pathlib import Path

import pytest

from verifier_diary.lines import (
    Blank,
    Call,
    Edited,
    Flow,
    Instruction,
    LoopState,
    Precision,
    Preface,
    ReportHead,
    Safe,
    Source,
    State,
    Summary,
    Unknown,
)
from verifier_diary.parser import parse_line

LOGS = sorted((Path(__file__).parents[2] / "data" / "verifier_logs").glob("*/*.log"))

# One line of every form, from 5.10 to 7.3, and the kind it is.
FORMS = [
    ("5: (bf) r2 = r10                      ; R2_w=fp0 R10=fp0", Instruction),
    ("5: (bf) r2 = r10", Instruction),
    ("  12: (95) exit", Instruction),
    ("6: (15) if r0 == 0x0 goto pc+6 8: R0=0 R10=fp0", Instruction),
    ("0: R1=ctx() R10=fp0", State),
    ("0: R1=ctx(id=0,off=0,imm=0) R10=fp0", State),
    (" R0_w=map_value(id=0,off=0,ks=4,vs=8,imm=0) R10=fp0 fp-8=mmmm????", State),
    (" frame1: R1=fp[0]-8 R10=fp0", State),
    ("11: frame1: R0_w=0 R10=fp0", State),
    ("; if (data + 14 > end) @ parse.c:12", Source),
    ("; if (data + 14 > end)", Source),
    (";  @ <stdin>:15", Source),
    ("from 9 to 13: R0=0 R10=fp0", Flow),
    ("from 9 to 13 (speculative execution): safe", Flow),
    ("from 2 to 5: frame1: R1=0", Flow),
    ("13: safe", Safe),
    ("12: <invalid kfunc call>", Edited),
    ("cur state: R0=1 R10=fp0", LoopState),
    ("old state: R0=1 R10=fp0", LoopState),
    ("mark_precise: frame0: regs=r1 stack= before 9: (15) if r1 == 0x8 goto pc+3", Precision),
    ("last_idx 10 first_idx 9", Precision),
    ("regs=2 stack=0 before 9: (15) if r1 == 0x8 goto pc+3", Precision),
    ("parent didn't have regs=2 stack=0 marks", Precision),
    ("frame 0: propagating r6", Precision),
    ("caller:", Call),
    ("callee:", Call),
    ("returning from callee:", Call),
    ("to caller at 7:", Call),
    ("Func#1 ('f') is safe for any args that match its prototype", Call),
    ("Func#1 is global and valid. Skipping.", Call),
    ("func#0 @0", Preface),
    ("Live regs before insn:", Preface),
    ("      5: .12....... (85) call bpf_map_lookup_elem#1", Preface),
    ("  1   5: .1234..... (85) call bpf_loop#181", Preface),
    ("  1: (bf) r2 = r10\tr2: _ -> fp0+0", Preface),
    ("topo_order[0] = main", Preface),
    ("subprog#0: analyzing (depth 0)...", Preface),
    ("stack use/def subprog#0 (d0,cs0):", Preface),
    ("Validating f() func#1...", Preface),
    ("(0) frame 0 insn 5 +live -8 ", Preface),
    ("processed 7 insns (limit 1000000) max_states_per_insn 0", Summary),
    ("verification time 27 usec", Summary),
    ("stack depth 8+0", Summary),
    ("Verification failed: Memory Safety: Access outside bounds", ReportHead),
    ("", Blank),
    ("  \t", Blank),
    ("R2 !read_ok", Unknown),
    ("2 or more rdonly/rdwr_buf_size parameters for kfunc", Unknown),
    ("\x00\x01", Unknown),
]


@pytest.mark.parametrize(("text", "kind"), FORMS)
def test_parse_line_knows_the_kind(text: str, kind: type) -> None:
    assert type(parse_line(text)) is kind


@pytest.mark.parametrize("text", [text for text, _ in FORMS])
def test_parse_line_prints_back(text: str) -> None:
    assert str(parse_line(text)) == text


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_logs_print_back(path: Path) -> None:
    for line in path.read_text().split("\n"):
        assert str(parse_line(line)) == line


def test_instruction_has_its_parts() -> None:
    line = parse_line("5: (07) r2 += -4                      ; R2_w=fp-4")
    assert isinstance(line, Instruction)
    assert (line.index, line.opcode, line.operation) == (5, 0x07, "r2 += -4")
    assert [str(entry) for entry in line.registers] == ["R2_w=fp-4"]


def test_instruction_separates_a_state_glued_to_a_jump() -> None:
    line = parse_line("6: (15) if r0 == 0x0 goto pc+6 13: frame1: R0=0 R10=fp0")
    assert isinstance(line, Instruction)
    assert line.operation == "if r0 == 0x0 goto pc+6"
    assert (line.state_index, line.state_frame) == (13, 1)
    assert [entry.name for entry in line.registers] == ["R0", "R10"]
    assert line.glued == ""


@pytest.mark.parametrize(
    "text",
    [
        "68: (15) if r4 == 0xd goto pc+9 BPF program is too large. Processed 1000001 insn",
        "68: (15) if r4 == 0xd goto pc+9 ; R4=13 BPF program is too large. Processed 1000001 insn",
    ],
)
def test_instruction_separates_a_glued_message(text: str) -> None:
    line = parse_line(text)
    assert isinstance(line, Instruction)
    assert line.glued == "BPF program is too large. Processed 1000001 insn"


def test_source_has_place_and_text() -> None:
    line = parse_line("; a @ b @ dir/c.h:7:3")
    assert line == Source("; ", "a @ b", "dir/c.h", 7, 3)


def test_flow_has_its_ends() -> None:
    line = parse_line("from 2 to 5 (speculative execution): R1=0")
    assert isinstance(line, Flow)
    assert (line.start, line.target, line.registers[0].name) == (2, 5, "R1")


def test_parse_line_is_not_misled_by_other_digits() -> None:
    assert isinstance(parse_line("\u0665: (95) exit"), Unknown)
    assert isinstance(parse_line("1" * 5000 + ": (95) exit"), Unknown)
