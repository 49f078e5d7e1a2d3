from __future__ import annotations

from pathlib import Path

import pytest

from verifier_diary.classifier import Verdict, classify
from verifier_diary.lines import Instruction, Unknown
from verifier_diary.logfile import Log
from verifier_diary.messages import messages
from verifier_diary.model import Layer

LOGS = sorted((Path(__file__).parents[2] / "data" / "verifier_logs").glob("*/*.log"))
SUMMARY = "processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0"


def verdict_of(*lines: str, loader: str = "", errno: int | None = None) -> Verdict:
    return classify("\n".join(lines), loader, errno)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_logs_have_the_class_they_are_named_after(path: Path) -> None:
    assert classify(path.read_text()).class_id == path.stem


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_in_golden_logs_only_messages_are_unknown_lines(path: Path) -> None:
    log = Log(path.read_text())
    kinds = [line for _, line in log.numbered(0, len(log))]
    simulated = [isinstance(line, Instruction) for line in kinds]
    start = simulated.index(True) if any(simulated) else 0  # notes may come before
    unknown = {line.raw.strip() for line in kinds[start:] if isinstance(line, Unknown)}
    assert unknown <= {message.text for message in messages(log)}


def test_the_more_specific_line_decides() -> None:
    verdict = verdict_of(
        "0: R1=ctx() R10=fp0",
        "0: (85) call pc+3",
        "R1 type=scalar expected=fp",
        "Caller passes invalid args into func#1 ('f')",
        SUMMARY,
    )
    assert (verdict.class_id, verdict.message) == ("arg_type", "R1 type=scalar expected=fp")
    assert verdict.line == 2
    assert len(verdict.messages) == 2


def test_of_equal_lines_the_first_is_the_cause() -> None:
    verdict = verdict_of(
        "7: (95) exit",
        "Unreleased reference id=2 alloc_insn=5",
        "BPF_EXIT instruction in main prog would lead to reference leak",
        SUMMARY,
    )
    assert verdict.message == "Unreleased reference id=2 alloc_insn=5"


def test_states_behind_the_message_are_no_message() -> None:
    verdict = verdict_of(
        "11: (05) goto pc-3",
        "infinite loop detected at insn 9",
        "cur state: R0=1 R10=fp0",
        "old state: R0=1 R10=fp0",
        SUMMARY,
    )
    assert (verdict.class_id, verdict.instruction) == ("loop", 11)


def test_a_message_glued_to_the_summary_is_read() -> None:
    verdict = verdict_of(
        "3: (85) call bpf_tail_call#12", f"expected prog array map for tail call{SUMMARY}"
    )
    assert verdict.message == "expected prog array map for tail call"
    assert verdict.class_id == "map_type"


def test_a_message_glued_to_the_instruction_is_read() -> None:
    verdict = verdict_of(
        "68: (15) if r4 == 0xd goto pc+9 BPF program is too large. Processed 1000001 insn", SUMMARY
    )
    assert (verdict.class_id, verdict.layer) == ("complexity", Layer.LIMIT)
    assert verdict.instruction == 68


def test_a_summary_glued_to_the_instruction_is_read() -> None:
    verdict = verdict_of("3: (85) call bpf_tail_call#12 R1 !read_ok" + SUMMARY)
    assert (verdict.message, verdict.instruction) == ("R1 !read_ok", 3)


def test_notes_before_the_first_instruction_decide_nothing() -> None:
    verdict = verdict_of(
        "Unrecognized arg#0 type PTR",
        "Global function f() doesn't return scalar. Only those are supported.",
        "0: R1=ctx() R10=fp0",
        "0: (bf) r1 = r2",
        "R2 !read_ok",
        SUMMARY,
    )
    assert verdict.messages == ("R2 !read_ok",)


def test_notes_decide_when_nothing_else_is_said() -> None:
    verdict = verdict_of(
        "func#0 @0", "arg#0 reference type('FWD x') size cannot be determined: -22", SUMMARY
    )
    assert verdict.class_id == "global_func"


def test_a_listing_is_no_simulated_instruction() -> None:
    verdict = verdict_of(
        "func#0 @0",
        "subprog#0:",
        "  0: (b7) r0 = 2",
        "  1: (95) exit",
        "stack depth subprog",
        "unreachable insn 7",
        SUMMARY,
    )
    assert (verdict.class_id, verdict.instruction) == ("cfg", 7)


def test_libbpf_edits_keep_the_instruction() -> None:
    verdict = verdict_of(
        "11: (bf) r1 = r6                      ; R1=ctx()",
        "12: <invalid kfunc call>",
        "kfunc 'bpf_x' is referenced but wasn't resolved",
        SUMMARY,
    )
    assert verdict.instruction == 12
    assert verdict.message == "kfunc 'bpf_x' is referenced but wasn't resolved"


def test_of_a_type_dump_the_last_type_is_the_message() -> None:
    verdict = verdict_of("[1] PTR (anon) type_id=3", "[11] FUNC helper type_id=10 vlen != 0")
    assert verdict.message == "[11] FUNC helper type_id=10 vlen != 0"
    assert verdict.class_id == "btf_metadata"


def test_a_log_without_a_message_says_so() -> None:
    verdict = verdict_of("0: R1=ctx() R10=fp0", "0: (b7) r0 = 0", "1: (95) exit", SUMMARY)
    assert (verdict.class_id, verdict.message, verdict.truncated) == ("no_message", "", None)


def test_a_log_without_its_end_says_so() -> None:
    verdict = verdict_of("0: R1=ctx() R10=fp0", "0: (bf) r1 = r2")
    assert (verdict.class_id, verdict.truncated) == ("no_message", "end")


def test_a_log_without_its_summary_has_lost_its_end() -> None:
    verdict = verdict_of("0: R1=ctx() R10=fp0", "0: (bf) r1 = r2", "R2 !read_ok")
    assert (verdict.class_id, verdict.truncated) == ("uninit_register", "end")


def test_old_kernels_leave_the_summary_out() -> None:
    assert verdict_of("0: (bf) r1 = r2", "R2 !read_ok").truncated is None


def test_the_half_of_a_line_is_no_source() -> None:
    log = Log("      ; R0=0x78a82\n3: (05) goto pc-2\n2: (07) r0 += 1      ; R0=7\nR2 !read_ok")
    assert (log.source, log.starts_cut) == (None, True)


def test_a_log_without_its_start_says_so() -> None:
    verdict = verdict_of("4,vs=8) R1=ctx()", "57: (bf) r1 = r2", "R2 !read_ok", SUMMARY)
    assert (verdict.class_id, verdict.truncated) == ("uninit_register", "start")


def test_a_log_that_begins_with_a_subprogram_is_whole() -> None:
    verdict = verdict_of("Validating f() func#1...", "9: R1=ctx() R10=fp0", "9: (bf) r1 = r2",
                         "R2 !read_ok", SUMMARY)  # fmt: skip
    assert verdict.truncated is None


def test_an_unknown_message_is_unclassified() -> None:
    verdict = verdict_of("3: (bf) r1 = r2", "a message of the year 2040", SUMMARY)
    assert (verdict.class_id, verdict.message) == ("unclassified", "a message of the year 2040")


def test_nothing_at_all_has_no_message() -> None:
    assert verdict_of("").class_id == "no_message"


def test_clang_errors_are_the_compilers() -> None:
    verdict = verdict_of("", loader="a.bpf.c:12:5: error: use of undeclared identifier 'x'\n  x\n")
    assert (verdict.class_id, verdict.layer) == ("compile_error", Layer.COMPILER)
    assert verdict.message == "use of undeclared identifier 'x'"


@pytest.mark.parametrize(
    ("said", "class_id", "message"),
    [
        ("fatal error: error in backend: Cannot select: t5", "compile_error",
         "error in backend: Cannot select: t5"),
        ("error: <unknown>:0:0: in function f i32 (ptr): A call to built-in function 'memset'",
         "compile_error", "in function f i32 (ptr): A call to built-in function 'memset'"),
        ("error: ./a.c:25:3: in function f i32 (i8*): Looks like the BPF stack limit is exceeded.",
         "stack_limit", "in function f i32 (i8*): Looks like the BPF stack limit is exceeded."),
    ],
)  # fmt: skip
def test_clangs_back_end_is_heard_too(said: str, class_id: str, message: str) -> None:
    verdict = verdict_of("", loader=said)
    assert (verdict.class_id, verdict.layer) == (class_id, Layer.COMPILER)
    assert verdict.message == message


def test_what_bcc_guesses_does_not_outdo_the_verifier() -> None:
    verdict = verdict_of(
        "66: (7b) *(u64 *)(r10 -520) = r1",
        "invalid stack off=-520 size=8",
        loader="HINT: Looks like you exceeded the BPF stack limit. This can happen if ...",
    )
    assert (verdict.class_id, verdict.instruction) == ("stack_bounds", 66)


def test_bcc_calls_too_complex_a_program_too_large() -> None:
    said = "bpf: Argument list too long. Program  too large (113 insns), at most 4096 insns"
    verdict = verdict_of("$ ./trace.py", said)
    assert (verdict.class_id, verdict.layer, verdict.message) == ("complexity", Layer.LIMIT, said)


def test_clangs_stack_limit_is_a_stack_limit() -> None:
    verdict = verdict_of("", loader="a.c:5:5: error: Looks like the BPF stack limit is exceeded.")
    assert (verdict.class_id, verdict.layer) == ("stack_limit", Layer.COMPILER)


@pytest.mark.parametrize(
    ("loader", "layer", "message"),
    [
        (
            "extern (func ksym) 'f': not found in kernel or module BTFs\nfailed to load object 'x'",
            Layer.LIBBPF,
            "extern (func ksym) 'f': not found in kernel or module BTFs",
        ),
        (
            "map 'm': failed to create: Invalid argument(-22)\nfailed to load object 'x'",
            Layer.KERNEL,
            "map 'm': failed to create: Invalid argument(-22)",
        ),
        (
            "prog 'p': BPF program load failed: Operation not permitted\n"
            "prog 'p': failed to load: -1",
            Layer.KERNEL,
            "prog 'p': BPF program load failed: Operation not permitted",
        ),
        (
            "Error in bpf_create_map_xattr(m):Invalid argument(-22). Retrying without BTF.\n"
            "extern 'x' (strong): not resolved\nfailed to load object 'x'",
            Layer.LIBBPF,
            "extern 'x' (strong): not resolved",
        ),
        (
            "prog 'f': missing BPF prog type, check ELF section name '.text'\n"
            "prog 'f': failed to load: -22\nfailed to load object 'x'",
            Layer.LIBBPF,
            "prog 'f': missing BPF prog type, check ELF section name '.text'",
        ),
        (
            "sec 'tc': found program 'f' at insn offset 0 (0 bytes)\nlicense of x is GPL\n"
            "prog 'f': found data map 0 (x.rodata, sec 4, off 0) for insn 14\n"
            "failed to find valid kernel BTF\nError loading vmlinux BTF: -3",
            Layer.LIBBPF,
            "failed to find valid kernel BTF",
        ),
    ],
)
def test_loaders_without_a_log_are_told_apart(loader: str, layer: Layer, message: str) -> None:
    verdict = verdict_of("", loader=loader)
    assert (verdict.class_id, verdict.layer, verdict.message) == ("loader", layer, message)


def test_btf_that_the_loader_went_on_without_decides_nothing() -> None:
    verdict = verdict_of(
        "[1] INT int size=4",
        "[16] ENUM z size=0 vlen=0 Unexpected size",
        loader="Error loading .BTF into kernel: -22. BTF is optional, ignoring.\n"
        "prog 'p': BPF program load failed: Operation not permitted",
    )
    assert verdict.message == "prog 'p': BPF program load failed: Operation not permitted"


def test_an_errno_alone_is_the_kernels() -> None:
    verdict = verdict_of("", errno=1)
    assert (verdict.class_id, verdict.layer) == ("loader", Layer.KERNEL)
    assert verdict.message == "Operation not permitted (1)"


def test_linux_7_3_reports_are_cut_off_and_kept() -> None:
    verdict = verdict_of(
        "1: (71) r5 = *(u8 *)(r2 +12)",
        "invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)",
        "R2 min value is outside of the allowed memory range",
        "",
        "Verification failed: Memory Safety: Access outside bounds",
        "",
        "Reason:",
        "  R2 is pkt; offset is",
        "  constant 12.",
        "",
        "Suggestion:",
        "  Add a check.",
        "",
        SUMMARY,
    )
    assert verdict.class_id == "packet_bounds"
    assert len(verdict.messages) == 2
    assert verdict.report is not None
    assert verdict.report.reason == "R2 is pkt; offset is constant 12."


def test_linux_7_3_reports_decide_where_the_message_is_new() -> None:
    verdict = verdict_of(
        "1: (71) r5 = *(u8 *)(r2 +12)",
        "words that nobody knows yet",
        "",
        "Verification failed: Register Type Safety: Invalid dereference",
        "",
        "Reason:",
        "  R0 may be NULL here (a nullable map value pointer).",
        SUMMARY,
    )
    assert (verdict.class_id, verdict.message) == ("null_deref", "words that nobody knows yet")
