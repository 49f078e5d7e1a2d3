from __future__ import annotations

import json

import pytest

from verifier_diary.clean import Paste, clean, errno_in, strip

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
    pastes = clean(f"{LOG}\n{LOG}\n")
    assert [paste.log for paste in pastes] == [LOG, LOG]


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


def test_kernel_addresses_are_taken_out() -> None:
    text = (
        "3: (18) r1 = 0xffff8881048d0200       ; R1=map_ptr(ks=4,vs=8)\n"
        "      3: ..2....... (18) r1 = 0xff11000005a79800\n"
        "3: (18) r1 = 0xff11000005a79800       ; R1_w=map_ptr(ks=4,vs=8)\n"
        "5: (18) r1 = 0xff00ff00ff00ff00       ; R1=0xff00ff00ff00ff00\n"
    )
    stripped = strip(text)
    assert stripped.count("<address>") == 3
    assert "0xff00ff00ff00ff00" in stripped
    assert strip(stripped) == stripped
