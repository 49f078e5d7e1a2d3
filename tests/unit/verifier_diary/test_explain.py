from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from verifier_diary.explain import explain
from verifier_diary.lessons import expectations
from verifier_diary.loops import Skipped
from verifier_diary.model import Layer
from verifier_diary.report import headline, render

ROOT = Path(__file__).parents[3]
LOGS = sorted((ROOT / "tests" / "data" / "verifier_logs").glob("*/*.log"))


def lesson(name: str) -> str:
    return (ROOT / "bpf" / "lessons" / f"{name}.bpf.c").read_text()


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_logs_point_to_the_line_of_the_lesson(path: Path) -> None:
    source = lesson(path.stem)
    diagnosis = explain(
        path.read_text(),
        sources={f"bpf/lessons/{path.stem}.bpf.c": source},
        function=f"{path.stem}_bad",
    )
    expected = expectations(source)[f"{path.stem}_bad"]
    spot = diagnosis.at.source
    assert spot is not None
    assert any(place in spot.text for place in expected.places)
    assert spot.line is not None
    assert source.splitlines()[spot.line - 1].strip() == spot.text


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_without_places_in_the_log_the_source_tells_the_line(path: Path) -> None:
    log, source = path.read_text(), lesson(path.stem)
    arguments = {"sources": {"x.bpf.c": source}, "function": f"{path.stem}_bad"}
    as_on_6_1 = re.sub(r" @ \S+:\d+$", "", log, flags=re.MULTILINE)
    told, found = explain(log, **arguments), explain(as_on_6_1, **arguments)
    assert told.at.source is not None
    assert found.at.source is not None
    assert found.at.source.line == told.at.source.line


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_logs_have_every_section(path: Path) -> None:
    text = render(explain(path.read_text()))
    for section in ("Reason:", "Usual cause:", "Suggestion:"):
        assert f"\n{section}\n" in text


RANGES = {
    "map_value_bounds": "R0 may point to byte 0..64 of the value",
    "size_arg": "a number of at most 64, without a lower bound",
    "unbounded_index": "0..4294967295",
    "ptr_math_unbounded": "a number of at most 63, without a lower bound",
    "packet_bounds": "the packet is known to hold only 14 bytes",
    "return_value": "R0 is the number 2",
}


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_logs_name_the_range_where_ranges_matter(path: Path) -> None:
    assert RANGES.get(path.stem, "") in explain(path.read_text()).reason


def test_a_place_without_annotation_is_the_function() -> None:
    diagnosis = explain(
        "unreachable insn 2", sources={"a.bpf.c": "int x;\nint f(void)\n{\n}\n"}, function="f"
    )
    assert str(diagnosis.at.source) == "a.bpf.c:2"


def test_a_compiler_error_is_placed_in_the_source() -> None:
    diagnosis = explain(
        "", loader="a.bpf.c:2:3: error: expected ';'\n  x = 1\n       ^\n",
        sources={"bpf/a.bpf.c": "int f;\n  x = 1\n"},
    )  # fmt: skip
    assert diagnosis.verdict.layer is Layer.COMPILER
    assert str(diagnosis.at.source) == "bpf/a.bpf.c:2"
    assert [line.text for line in diagnosis.at.context if line.marked] == ["  x = 1"]


def test_a_limit_has_hotspots_and_no_path() -> None:
    diagnosis = explain(
        "; i++ @ a.c:3\n1: (07) r1 += 1\nBPF program is too large. Processed 1000001 insn\n"
        "processed 1000001 insns (limit 1000000)"
    )
    assert diagnosis.verdict.layer is Layer.LIMIT
    assert diagnosis.path == ()
    assert [str(spot.spot) for spot in diagnosis.hotspots] == ["a.c:3"]


def test_steps_know_their_source() -> None:
    diagnosis = explain(
        "; p = get(); @ a.c:3\n0: (79) r1 = *(u64 *)(r2 +0) ; R1=scalar()\n"
        "; return *p; @ a.c:4\n1: (61) r0 = *(u32 *)(r1 +0)\nR1 invalid mem access 'scalar'"
    )
    (step,) = diagnosis.path
    assert not isinstance(step, Skipped)
    assert str(step.source) == "a.c:3"


def test_registers_are_the_newest_of_the_failing_frame() -> None:
    diagnosis = explain(
        "0: R1=ctx() R10=fp0\n0: (b7) r2 = 1 ; R2=1\n1: (b7) r2 = 2 ; R2=2 fp-8=mmmm????\n"
        "2: (bf) r0 = r3\nR3 !read_ok"
    )
    assert [str(entry) for entry in diagnosis.at.registers][:2] == ["R1=ctx()", "R2=2"]
    assert str(diagnosis.at.registers[-1]) == "fp-8=mmmm????"


def test_the_kernels_own_suggestion_comes_first() -> None:
    diagnosis = explain(
        "1: (bf) r0 = r3\nR3 !read_ok\n\nVerification failed: Register Type Safety: Unreadable "
        "register\n\nSuggestion:\n  Initialize R3.\n\nprocessed 2 insns (limit 1000000)"
    )
    assert diagnosis.suggestion.startswith("Initialize R3. Give the variable a value")
    assert "Linux 7.3: Register Type Safety: Unreadable register" in render(diagnosis)


def test_a_cut_log_says_which_part_is_missing() -> None:
    assert "The end of this log is missing." in render(explain("0: (bf) r1 = r2"))


def test_a_report_starts_with_class_layer_and_title() -> None:
    diagnosis = explain("1: (bf) r0 = r3\nR3 !read_ok")
    assert headline(diagnosis) == "uninit_register (verifier): Register read that holds no value"
    assert render(diagnosis).startswith(headline(diagnosis) + "\n  R3 !read_ok\n")


def test_a_report_wraps_its_sentences() -> None:
    for path in LOGS:
        text = render(explain(path.read_text()), width=60)
        for section in ("Reason", "Usual cause", "Suggestion"):
            body = text.partition(f"\n{section}:\n")[2].partition("\n\n")[0]
            assert all(len(line) <= 60 or " " not in line.strip() for line in body.split("\n"))


def test_explaining_imports_nothing_heavy() -> None:
    program = (
        "import sys, verifier_diary.explain, verifier_diary.report, verifier_diary.clean\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "sqlite3", "sqlite_utils", "rich", "click", "textual", "zstandard", "cffi"}
    assert not heavy & set(done.stdout.split())
