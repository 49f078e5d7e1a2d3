from __future__ import annotations

import pytest

from lab.verify.reason import Reason, reason
from verifier_diary.model import Attempt, Layer, Program, SourceText

SOURCE = "int outside(struct xdp_md *ctx)\n{\n\treturn data[100];\n}\n"
LOG = """\
0: R1=ctx() R10=fp0
; char *data = (void *)(long)ctx->data;{first}
0: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)
; return data[100];{second}
1: (71) r0 = *(u8 *)(r1 +100)
invalid access to packet, off=100 size=1, R1(id=0,off=100,r=0)
R1 offset is outside of the packet
verification time 79 usec
stack depth 0
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
MESSAGE = "invalid access to packet, off=100 size=1, R1(id=0,off=100,r=0)"


def rejected(layer: Layer, *, log: str = "", messages: str = "", **more) -> Attempt:
    return Attempt(
        Program("outside", "tiny"), accepted=False, layer=layer, log=log, messages=messages, **more
    )


def test_accepted_attempt_has_no_reason() -> None:
    assert reason(Attempt(Program("fine"), accepted=True)) is None


def test_verifier_s_most_specific_message_and_c_line_are_found() -> None:
    log = LOG.format(first=" @ tiny.bpf.c:7", second=" @ tiny.bpf.c:8")
    expected = Reason(MESSAGE, "return data[100];", "tiny.bpf.c", 8)
    assert reason(rejected(Layer.VERIFIER, log=log)) == expected


def test_c_line_without_a_file_is_looked_up_in_the_sources() -> None:
    source = SourceText.of("bpf/tiny.bpf.c", SOURCE)
    attempt = rejected(Layer.VERIFIER, log=LOG.format(first="", second=""), sources=(source,))
    assert reason(attempt) == Reason(MESSAGE, "return data[100];", "bpf/tiny.bpf.c", 3)


def test_c_line_that_occurs_twice_has_no_place() -> None:
    source = SourceText.of("tiny.bpf.c", SOURCE * 2)
    attempt = rejected(Layer.VERIFIER, log=LOG.format(first="", second=""), sources=(source,))
    assert reason(attempt) == Reason(MESSAGE, "return data[100];", None, None)


def test_log_without_c_lines_has_a_message_alone() -> None:
    log = "0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000) peak_states 0\n"
    assert reason(rejected(Layer.VERIFIER, log=log)) == Reason("R0 !read_ok")


def test_message_that_is_glued_to_an_instruction_is_found() -> None:
    log = (
        "; for (;;) @ loop.bpf.c:4\n"
        "68: (15) if r4 == 0xd goto pc+9 BPF program is too large. Processed 1000001 insn\n"
        "processed 1000001 insns (limit 1000000) max_states_per_insn 4 total_states 9 "
        "peak_states 9 mark_read 0\n"
    )
    expected = Reason(
        "BPF program is too large. Processed 1000001 insn", "for (;;)", "loop.bpf.c", 4
    )
    assert reason(rejected(Layer.LIMIT, log=log)) == expected


@pytest.mark.parametrize("gutter", ["", "   12 |"])
def test_first_error_of_clang_is_taken_with_its_code(gutter: str) -> None:
    messages = (
        f"tiny.bpf.c:9:2: warning: unused\n{gutter}        int x;\n"
        f"tiny.bpf.c:12:9: error: use of undeclared identifier 'dta'\n{gutter}        return dta;\n"
        "               ^\n1 error generated.\n"
    )
    expected = Reason("use of undeclared identifier 'dta'", "return dta;", "tiny.bpf.c", 12)
    assert reason(rejected(Layer.COMPILER, messages=messages)) == expected


def test_error_from_behind_clang_s_front_end_is_taken() -> None:
    messages = "error: couldn't allocate output register for constraint 'r'\n1 error generated.\n"
    expected = Reason("couldn't allocate output register for constraint 'r'")
    assert reason(rejected(Layer.COMPILER, messages=messages)) == expected


def test_clang_that_names_no_error_is_quoted() -> None:
    assert reason(rejected(Layer.COMPILER, messages="killed\n")) == Reason("killed")


def test_libbpf_s_cause_comes_before_what_follows_from_it() -> None:
    messages = (
        "libbpf: prog 'fe': failed to find kernel BTF type ID of 'nix': -3\n"
        "libbpf: failed to load object 'tiny'\n"
    )
    expected = Reason("prog 'fe': failed to find kernel BTF type ID of 'nix': -3")
    assert reason(rejected(Layer.LIBBPF, messages=messages, errno=3)) == expected


def test_errno_alone_is_put_in_words() -> None:
    found = reason(rejected(Layer.KERNEL, errno=22))
    assert found is not None
    assert "Invalid argument" in (found.message or "")
