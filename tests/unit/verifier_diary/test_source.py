from __future__ import annotations

from verifier_diary.lines import Source
from verifier_diary.source import (
    SourceLine,
    Spot,
    body_of,
    context,
    head_of,
    located,
    spot_of,
)

TEXT = "int a;\n\nint f(void)\n{\n\tg();\n\treturn a;\n}\nint g(void);\n"
SOURCES = {"bpf/x.bpf.c": TEXT, "bpf/include/x.h": "int b;\n"}


def test_a_spot_takes_file_and_line_from_the_log() -> None:
    spot = spot_of(Source("; ", "return a;", "x.bpf.c", 6))
    assert spot == Spot("return a;", "x.bpf.c", 6)
    assert str(spot) == "x.bpf.c:6"


def test_a_spot_is_found_by_its_name_and_number() -> None:
    assert located(Spot("return a;", "x.bpf.c", 6), SOURCES).file == "bpf/x.bpf.c"


def test_a_spot_without_a_place_is_found_by_its_text() -> None:
    assert located(Spot("return a;"), SOURCES) == Spot("return a;", "bpf/x.bpf.c", 6)


def test_a_spot_that_moved_is_found_by_its_text() -> None:
    assert located(Spot("return a;", "x.bpf.c", 2), SOURCES).line == 6


def test_a_text_that_occurs_twice_stays_without_a_place() -> None:
    spot = located(Spot("g();"), {"a.c": "g();\ng();\n"})
    assert (spot.file, spot.line) == (None, None)


def test_context_marks_the_line_among_its_neighbours() -> None:
    lines = context(Spot("return a;", "x.bpf.c", 6), SOURCES)
    assert [line.number for line in lines] == [4, 5, 6, 7, 8]
    assert [line.number for line in lines if line.marked] == [6]
    assert lines[2].text == "        return a;"


def test_context_without_the_source_is_the_line_itself() -> None:
    assert context(Spot("return a;", "x.bpf.c", 6), None) == (SourceLine(6, "return a;", True),)


def test_context_does_not_show_a_source_that_changed() -> None:
    lines = context(Spot("return gone;", "x.bpf.c", 6), SOURCES)
    assert lines == (SourceLine(6, "return gone;", True),)


def test_no_spot_has_no_context() -> None:
    assert context(None, SOURCES) == ()


def test_a_function_is_found_by_its_head_and_not_by_calls_or_declarations() -> None:
    assert head_of("f", SOURCES) == Spot("int f(void)", "bpf/x.bpf.c", 3)
    assert head_of("g", SOURCES) is None
    assert head_of("nowhere", SOURCES) is None


def test_a_text_that_occurs_twice_is_looked_for_in_the_function() -> None:
    text = "int a_bad(void)\n{\n\tg();\n}\n\nint a_good(void)\n{\n\tg();\n}\n"
    assert located(Spot("g();"), {"a.c": text}, "a_good") == Spot("g();", "a.c", 8)
    assert located(Spot("g();"), {"a.c": text}, "elsewhere").line is None


def test_a_body_reaches_to_its_brace() -> None:
    assert body_of("f", SOURCES) == ("bpf/x.bpf.c", range(3, 8))
    assert body_of("nowhere", SOURCES) == (None, range(0))
