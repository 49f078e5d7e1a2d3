from __future__ import annotations

import html
import json

import pytest

from verifier_diary.clean import Paste, clean, errno_in
from verifier_diary.logfile import GAP

LOG = """\
0: R1=ctx() R10=fp0
; return *p; @ a.c:7
0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2=pkt(r=0)
1: (71) r5 = *(u8 *)(r2 +12)
R2 offset is outside of the packet
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0"""
LINES = LOG.split("\n")


def only(text: str) -> Paste:
    (paste,) = clean(text)
    return paste


def prefixed(prefix: str) -> str:
    return "\n".join(prefix + line for line in LINES)


@pytest.mark.parametrize(
    "text",
    [
        LOG,
        LOG + "\n",
        LOG.replace("\n", "\r\n"),
        "\ufeff" + LOG,
        prefixed("\x1b[31m"),
        prefixed("\x1b[0;1m").replace("\n", "\x1b[0m\n"),
        prefixed("[ 1234.567890] "),
        prefixed("<6>[    1.567890] "),
        prefixed("2024-01-02T03:04:05.1234567Z "),
        prefixed("2024/01/02 03:04:05 "),
        prefixed("Jan  2 03:04:05 host agent[123]: "),
        prefixed("[2024-01-02T03:04:05Z WARN  lab::load] "),
        prefixed("loader-1  | "),
        prefixed("2024-01-02T03:04:05.123456789Z stderr F "),
        prefixed("I0102 03:04:05.123456   17 load.go:12] "),
        prefixed("\t"),
        prefixed("        "),
        prefixed("> "),
        "\n".join(f'level=warning msg="{line}" subsys=loader' for line in LINES),
        "\n".join(json.dumps({"log": line + "\n", "stream": "stderr"}) for line in LINES),
        "\n".join(json.dumps({"level": "error", "msg": line}) for line in LINES),
        prefixed("ERRO[0045] "),
        prefixed("[libs]: "),
        prefixed("2024-01-02T03:04:05.123456Z  WARN loader::log: src/log.rs:12: "),
        prefixed("2024-01-02T03:04:05+0200 host agent[12]: "),
        prefixed("[pod/agent-x7/agent] "),
        prefixed("job\tload\t2024-01-02T03:04:05.1234567Z "),
        prefixed("+"),
        prefixed(" * "),
        LOG.replace("\n", "\r\r\n"),
        LOG.replace("\n", "   \n"),
        LOG.replace(" ", "\xa0"),
        html.escape(LOG.replace("R1=ctx() R2", "R1=ctx() & R2")).replace("&amp; ", ""),
    ],
)
def test_prefixes_and_colours_are_taken_off(text: str) -> None:
    assert only(text).log == LOG


def test_a_log_within_json_is_unfolded() -> None:
    text = json.dumps({"level": "error", "err": "load program: permission denied:\n" + LOG})
    assert LINES[1:5] == only(text).log.split("\n")[-5:-1]


def test_borders_give_log_program_and_errno() -> None:
    paste = only(
        "libbpf: prog 'drop': BPF program load failed: Permission denied\n"
        "libbpf: prog 'drop': -- BEGIN PROG LOAD LOG --\n"
        f"{LOG}\n"
        "-- END PROG LOAD LOG --\n"
        "libbpf: prog 'drop': failed to load: -13\n"
    )
    assert (paste.log, paste.program, paste.errno) == (LOG, "drop", 13)
    assert "failed to load: -13" in paste.loader


def test_old_borders_are_known() -> None:
    text = f"libbpf: -- BEGIN DUMP LOG ---\nlibbpf: \n{LOG}\n\nlibbpf: -- END LOG --\n"
    assert only(text).log.endswith(LOG)


def test_several_bordered_logs_are_split() -> None:
    one = "libbpf: prog '{}': -- BEGIN PROG LOAD LOG --\n{}\n-- END PROG LOAD LOG --\n"
    pastes = clean(one.format("a", LOG) + one.format("b", LOG))
    assert [(paste.program, paste.log) for paste in pastes] == [("a", LOG), ("b", LOG)]


def test_several_logs_in_a_row_are_split() -> None:
    other = LOG.replace("+12", "+13")
    pastes = clean(f"{LOG}\n{other}\n")
    assert [paste.log for paste in pastes] == [LOG, other]


def test_a_log_that_its_loader_printed_twice_counts_once() -> None:
    said = "the BPF_PROG_LOAD syscall failed. Verifier output: " + LOG
    again = "\n       ".join(said.split("\n"))
    paste = only(
        f"Error: {said}\n\nCaused by:\n    0: {again}\n    1: Invalid argument (os error 22)"
    )
    assert (paste.log, paste.errno) == (LOG, 22)


def test_veristat_output_is_split_by_its_headers() -> None:
    head = "PROCESSING x.bpf.o/{}, DURATION US: 0, VERDICT: failure, VERIFIER LOG:\n"
    pastes = clean(head.format("a") + "unknown opcode 8d\n" + head.format("b") + LOG)
    assert [(paste.program, paste.log) for paste in pastes] == [
        ("a", "unknown opcode 8d"),
        ("b", LOG),
    ]


def test_what_bcc_says_behind_a_log_is_no_part_of_it() -> None:
    paste = only(
        "bpf: Failed to load program: Permission denied\n"
        "11: (79) r9 = *(u64 *)(r7 +0)\nR7 invalid mem access 'map_value_or_null'\n\n"
        "HINT: The 'map_value_or_null' error can happen if ...\n\n"
        'Traceback (most recent call last):\n  File "x", line 1\n'
    )
    assert paste.log.rstrip().endswith("'map_value_or_null'")
    assert paste.errno == 13


def test_what_a_go_loader_joins_is_taken_apart() -> None:
    paste = only(
        "x_test.go:245: program fwd: load program: permission denied: "
        "1030: (71) r1 = *(u8 *)(r9 +23): R9 invalid mem access 'inv' (646 line(s) omitted)"
    )
    assert paste.log.split("\n")[-2:] == [
        "1030: (71) r1 = *(u8 *)(r9 +23)",
        "R9 invalid mem access 'inv'",
    ]


def test_a_quoted_verdict_stands_in_for_the_end_of_a_log() -> None:
    paste = only(
        "program x: load program: permission denied: R2 offset is outside of the packet "
        "(200 line(s) omitted)\nVerifier log: load program: permission denied:\n"
        "\t0: R1=ctx() R10=fp0\n\t0: (bf) r6 = r1\n"
    )
    assert paste.log.split("\n") == [
        "0: R1=ctx() R10=fp0",
        "0: (bf) r6 = r1",
        GAP,
        "R2 offset is outside of the packet",
    ]


def test_a_quoted_verdict_is_not_needed_where_the_log_has_its_end() -> None:
    tabbed = "\n".join("\t" + line for line in LINES)
    paste = only(
        f"load program: permission denied: {LINES[-2]} (3 line(s) omitted)\n"
        f"Verifier error: load program: permission denied:\n{tabbed}\n"
    )
    assert paste.log == LOG


def test_quoted_verdicts_of_two_programs_are_two() -> None:
    said = "program {}: load program: permission denied: R{} !read_ok (9 line(s) omitted)\n"
    pastes = clean(said.format("a", 1) + said.format("b", 2))
    assert [(paste.program, paste.log.split("\n")[-1]) for paste in pastes] == [
        ("a", "R1 !read_ok"),
        ("b", "R2 !read_ok"),
    ]


def test_a_listing_keeps_its_indent() -> None:
    text = "subprog#0:\n  0: (b7) r0 = 2\n  1: (95) exit\nunreachable insn 7"
    assert only(text).log == text


def test_an_empty_text_is_one_empty_paste() -> None:
    assert clean("") == (Paste(""),)


@pytest.mark.parametrize(
    ("said", "errno"),
    [
        ("prog 'x': failed to load: -13", 13),
        ("prog 'x': BPF program load failed: -EACCES", 13),
        ("prog 'x': BPF program load failed: Invalid argument", 22),
        ("Prog section 'tc' rejected: Argument list too long (7)!", 7),
        ("1: Invalid argument (os error 22)", 22),
        ("load program: permission denied:", 13),
        ("map 'm': failed to create: Invalid argument(-22)", 22),
        ("nothing of the kind", None),
    ],
)
def test_errno_is_found_in_a_loaders_words(said: str, errno: int | None) -> None:
    assert errno_in(said) == errno
