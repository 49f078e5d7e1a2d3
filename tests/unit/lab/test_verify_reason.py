from __future__ import annotations

import pytest

from lab.verify.reason import NO_REASON, reason
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


def told(attempt: Attempt) -> tuple[object, ...]:
    why = reason(attempt)
    return why.message, why.source_line, why.source_file, why.source_line_number


def test_accepted_attempt_has_no_reason() -> None:
    assert reason(Attempt(Program("fine"), accepted=True)) == NO_REASON


def test_verifier_s_most_specific_message_and_c_line_are_found() -> None:
    log = LOG.format(first=" @ tiny.bpf.c:7", second=" @ tiny.bpf.c:8")
    found = rejected(Layer.VERIFIER, log=log)
    assert told(found) == (MESSAGE, "return data[100];", "tiny.bpf.c", 8)
    assert reason(found).class_id == "packet_bounds"


def test_report_explains_and_marks_the_c_line() -> None:
    source = SourceText.of("bpf/tiny.bpf.c", SOURCE)
    log = LOG.format(first="", second="")
    report = reason(rejected(Layer.VERIFIER, log=log, sources=(source,))).report
    assert "Reason:\n  R1 is used for 1 byte at offset 100" in report
    assert "> 3 |         return data[100];" in report
    assert "Suggestion:\n" in report


def test_c_line_without_a_file_is_looked_up_in_the_sources() -> None:
    source = SourceText.of("bpf/tiny.bpf.c", SOURCE)
    found = rejected(Layer.VERIFIER, log=LOG.format(first="", second=""), sources=(source,))
    assert told(found) == (MESSAGE, "return data[100];", "bpf/tiny.bpf.c", 3)


def test_log_without_c_lines_has_a_message_alone() -> None:
    log = "0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000) peak_states 0\n"
    assert told(rejected(Layer.VERIFIER, log=log)) == ("R0 !read_ok", None, None, None)


@pytest.mark.parametrize("gutter", ["", "   12 |"])
def test_first_error_of_clang_is_taken_with_its_code(gutter: str) -> None:
    messages = (
        f"tiny.bpf.c:9:2: warning: unused\n{gutter}        int x;\n"
        f"tiny.bpf.c:12:9: error: use of undeclared identifier 'dta'\n{gutter}        return dta;\n"
        "               ^\n1 error generated.\n"
    )
    found = told(rejected(Layer.COMPILER, messages=messages))
    assert found == ("use of undeclared identifier 'dta'", "return dta;", "tiny.bpf.c", 12)


def test_error_from_behind_clang_s_front_end_is_taken() -> None:
    messages = "error: couldn't allocate output register for constraint 'r'\n1 error generated.\n"
    found = told(rejected(Layer.COMPILER, messages=messages))
    assert found == ("couldn't allocate output register for constraint 'r'", None, None, None)


def test_clang_that_says_nothing_has_no_message() -> None:
    assert reason(rejected(Layer.COMPILER)).message is None


def test_libbpf_s_cause_comes_before_what_follows_from_it() -> None:
    messages = (
        "libbpf: prog 'fe': failed to find kernel BTF type ID of 'nix': -3\n"
        "libbpf: failed to load object 'tiny'\n"
    )
    found = reason(rejected(Layer.LIBBPF, messages=messages, errno=3))
    assert found.message == "prog 'fe': failed to find kernel BTF type ID of 'nix': -3"


def test_second_try_of_libbpf_is_no_cause() -> None:
    messages = (
        "libbpf: Error in bpf_create_map_xattr(m):Invalid argument(-22). Retrying without BTF.\n"
        "libbpf: map 'm': failed to create: Invalid argument(-22)\n"
    )
    found = reason(rejected(Layer.KERNEL, messages=messages, errno=22))
    assert found.message == "map 'm': failed to create: Invalid argument(-22)"


def test_errno_alone_is_put_in_words() -> None:
    assert reason(rejected(Layer.KERNEL, errno=22)).message == "Invalid argument (22)"
