from __future__ import annotations

import pytest

from verifier_diary.learned_prefix import without_learned_prefix

LOG = [
    "0: R1=ctx() R10=fp0",
    "; return x; @ a.c:3",
    "0: (bf) r0 = r2",
    "R2 !read_ok",
    "processed 1 insns (limit 1000000) max_states_per_insn 0",
]


@pytest.mark.parametrize("prefix", ["node-1 loader ", "<17>run[{}]: ", "+", "{}) ", " * "])
def test_what_stands_before_most_lines_is_taken_off(prefix: str) -> None:
    lines = [prefix.format(number) + line for number, line in enumerate(LOG, 41)]
    assert without_learned_prefix(lines) == LOG


def test_an_empty_line_keeps_no_prefix() -> None:
    lines = ["run: " + line for line in LOG]
    assert without_learned_prefix([*lines, "run:"]) == [*LOG, ""]


def test_a_prefix_of_every_line_needs_no_second_instruction() -> None:
    assert without_learned_prefix([f"run: {line}" for line in LOG[-2:]]) == LOG[-2:]


@pytest.mark.parametrize(
    "lines",
    [
        LOG,
        ["regs=2 stack=0 before 7: (bf) r3 = r8", "regs=2 stack=0 before 6: (07) r2 += -50"],
        ["9: (05) goto pc+1 11: (95) exit", "3: (05) goto pc+1 5: (95) exit"],
        ["load program: permission denied: 7: (95) exit: R0 !read_ok (2 line(s) omitted)"] * 3,
    ],
)
def test_what_the_verifier_or_a_loader_says_is_no_prefix(lines: list[str]) -> None:
    assert without_learned_prefix(lines) == lines
