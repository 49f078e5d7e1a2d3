from __future__ import annotations

import pytest

from verifier_diary.finding import Finding
from verifier_diary.fingerprint import LENGTH, fingerprint, normalise
from verifier_diary.model import Layer, Program


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("R1 !read_ok", "R10 !read_ok"),
        ("invalid access to packet, off=14 size=1, R2(id=0,off=14,r=8)",) * 2,
        (
            "invalid access to packet, off=14 size=1, R2(id=0,off=14,r=8)",
            "invalid access to packet, off=0 size=4, R7(id=3,off=0,r=0)",
        ),
        (
            "invalid read from stack R10 off -8+0 size 8",
            "invalid read from stack R1 off -256+4 size 1",
        ),
        ("back-edge from insn 5 to 2", "back-edge from insn 15 to 12"),
        ("arg#0 reference type", "arg#1 reference type"),
        ("pointer <address> leaks", "pointer 0xff leaks"),
        ("two  spaces", "two spaces"),
    ],
)
def test_numbers_make_no_difference(first: str, second: str) -> None:
    assert normalise(first) == normalise(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("R1 invalid mem access 'scalar'", "R1 invalid mem access 'map_value_or_null'"),
        ("unknown func bpf_foo#1", "unknown func bpf_bar#1"),
        ("invalid access to packet", "invalid access to map value"),
        ("kernel function bpf_iter_num_new args#0", "kernel function bpf_iter_bits_new args#0"),
    ],
)
def test_words_make_a_difference(first: str, second: str) -> None:
    assert normalise(first) != normalise(second)


def finding(**changes: object) -> Finding:
    values: dict[str, object] = {
        "class_id": "c",
        "layer": Layer.VERIFIER,
        "message": "R1 !read_ok",
        "source_line": "x = *y;",
    }
    return Finding(**values | changes)  # type: ignore[arg-type]


def test_an_id_is_short_and_hexadecimal() -> None:
    found = fingerprint(Program("f"), finding())
    assert len(found) == LENGTH
    assert int(found, 16) >= 0


def test_the_place_in_the_file_makes_no_difference() -> None:
    moved = finding(source_line_number=9, source_line="  x  = *y;", instruction=7)
    assert fingerprint(Program("f"), moved) == fingerprint(Program("f"), finding())


def test_a_section_that_is_not_loaded_by_default_is_the_same_section() -> None:
    programs = Program("f", section="?xdp"), Program("f", section="xdp")
    assert len({fingerprint(program, finding()) for program in programs}) == 1


def test_the_program_makes_no_difference_where_the_line_is_known() -> None:
    programs = Program("f", section="xdp"), Program("g", section="xdp")
    assert len({fingerprint(program, finding()) for program in programs}) == 1


def test_the_class_makes_a_difference() -> None:
    assert fingerprint(Program("f"), finding()) != fingerprint(
        Program("f"), finding(class_id="other")
    )


def test_strangers_that_fail_at_the_same_line_are_told_apart_by_name() -> None:
    first, second = (fingerprint(Program(name, type="xdp"), finding()) for name in ("a", "b"))
    assert first != second
