"""From attempts to cells, from cells to differences, from both to what is printed."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from lab.build import Build
from lab.errors import BadInput, CheckFailed, EnvironmentProblem, PermissionProblem
from lab.matrix import expectations, report
from lab.matrix.cells import Cell, Trial, Verdict, cells, trials
from lab.matrix.journaling import attempts
from lab.matrix.outcome import KernelOutcome, exit_code_of
from lab.matrix.programs import Listed, stems
from lab.matrix.results import Results
from lab.matrix.verdict import Problem
from lab.output import Format, write
from tests.diary import accepted, rejected
from verifier_diary.model import SourceText
from verifier_diary.origin import Kernel

KERNEL = {"release": "6.1.0-9", "btf": True, "features": {}}
BUILD = Build("glimpse_src", Path("glimpse_src.bpf.o"), sources=(SourceText.of("bpf/x.c", "x"),))
GLIMPSE = Listed("glimpse_src", "glimpse", BUILD)
BAD = Listed("loop_bad", "loop_bad", BUILD, lesson="loop")
GOOD = Listed("loop_good", "loop_good", BUILD, lesson="loop")
PLACE = expectations.FOLDER / "6.1.toml"


def arrived(*records: dict) -> Results:
    return Results(True, KERNEL, {r["program"]: r for r in records}, exit_code=0)


def attempt_record(number: int, attempt) -> dict:
    return {"program": number, "attempt": attempt.to_json()}


def cell(program: Listed, verdict: Verdict, class_id: str | None = None, **more) -> Cell:
    return Cell("old", "6.1.0-9", program.name, verdict, class_id=class_id, **more)


def differences(*found: Cell, otherwise=None, tests=(), told=False) -> list[str]:
    programs = (GLIMPSE, BAD, GOOD)
    return list(expectations.differences(programs, found, tests, otherwise, PLACE, told=told))


def test_an_accepted_program_has_the_verifiers_numbers() -> None:
    found = arrived(attempt_record(0, accepted()))
    (row,) = cells("old", [GLIMPSE], found, attempts([GLIMPSE], found, None), None)
    assert (row.kernel, row.program, row.verdict) == ("old", "glimpse_src", "accepted")
    assert (row.instructions, row.states, row.peak_states) == (9, 3, 3)
    assert (row.class_id, row.message) == (None, None)


def test_a_rejected_program_has_the_diarys_class_and_message() -> None:
    found = arrived(attempt_record(0, rejected()))
    (row,) = cells("old", [GLIMPSE], found, attempts([GLIMPSE], found, None), None)
    assert row.verdict == "rejected"
    assert row.class_id == "packet_bounds"
    assert row.message == "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)"


def test_a_program_of_which_nothing_arrived_is_an_error_with_its_reason() -> None:
    (row,) = cells("old", [GLIMPSE], arrived(), {}, "the kernel crashed: Oops")
    assert (row.verdict, row.message) == ("error", "the kernel crashed: Oops")
    assert row.instructions is None
    (row,) = cells("old", [GLIMPSE], arrived(), {}, None)
    assert row.message == "the guest said nothing about it"


def test_a_program_that_could_not_be_asked_is_an_error_and_no_rejection() -> None:
    found = arrived({"program": 0, "trouble": "PermissionProblem: CAP_BPF is missing"})
    (row,) = cells("old", [GLIMPSE], found, attempts([GLIMPSE], found, None), None)
    assert (row.verdict, row.message) == ("error", "PermissionProblem: CAP_BPF is missing")


def test_a_test_of_which_nothing_arrived_is_an_error() -> None:
    (row,) = trials("old", ["attach"], arrived(), "the guest did not finish within 9 s")
    assert (row.verdict, row.message) == ("error", "the guest did not finish within 9 s")


def test_attempts_get_sources_and_the_kernels_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("CONFIG_BPF=y")
    elsewhere = accepted(sources=(), kernel=Kernel("6.1.0-9", "x86_64"))
    found = attempts([GLIMPSE], arrived(attempt_record(0, elsewhere)), config)
    assert found[0].sources == BUILD.sources
    assert found[0].kernel.release == "6.1.0-9"
    assert len(found[0].kernel.config_sha256 or "") == 64


def test_a_refusal_that_a_kernel_is_expected_to_give_is_expected() -> None:
    found = arrived(attempt_record(0, rejected()))
    known = attempts([GOOD], found, None, {"loop_good": "loader"})
    assert known[0].expected
    assert not attempts([GOOD], found, None, {})[0].expected
    assert not attempts([GOOD], found, None)[0].expected


@pytest.mark.parametrize(
    ("release", "series"),
    [("6.1.0-56-cloud-amd64", "6.1"), ("6.12.117+deb12", "6.12"), ("7.3-rc1", "7.3")],
)
def test_the_series_is_what_two_numbers_say(release: str, series: str) -> None:
    assert expectations.series_of(release) == series


def test_as_expected_is_no_difference() -> None:
    assert (
        differences(
            cell(GLIMPSE, Verdict.ACCEPTED),
            cell(BAD, Verdict.REJECTED, "loop"),
            cell(GOOD, Verdict.ACCEPTED),
            otherwise={},
        )
        == []
    )


def test_a_difference_names_what_was_expected_and_what_was_found() -> None:
    (text,) = differences(
        cell(GOOD, Verdict.REJECTED, "loader", message="extern 'x' not found"), otherwise={}
    )
    assert text == (
        "old: loop_good is expected to be accepted (tests/kernel/expected/6.1.toml), "
        "and was rejected as loader (extern 'x' not found)"
    )
    (text,) = differences(cell(BAD, Verdict.ACCEPTED), otherwise={})
    assert text == (
        "old: loop_bad is expected to be rejected as loop (tests/kernel/expected/6.1.toml), "
        "and was accepted"
    )


def test_a_kernel_may_say_otherwise() -> None:
    otherwise = {"loop_bad": "accepted", "loop_good": "loader"}
    found = (cell(BAD, Verdict.ACCEPTED), cell(GOOD, Verdict.REJECTED, "loader"))
    assert differences(*found, otherwise=otherwise) == []
    assert len(differences(cell(BAD, Verdict.REJECTED, "loop"), otherwise=otherwise)) == 1


def test_an_exception_for_a_program_that_is_gone_is_a_difference() -> None:
    assert differences(otherwise={"old_bad": "accepted"}) == [
        "tests/kernel/expected/6.1.toml names old_bad, which is no program of bpf/"
    ]


def test_without_a_file_only_the_products_own_programs_count() -> None:
    (text,) = differences(
        cell(GLIMPSE, Verdict.REJECTED, "loop"), cell(GOOD, Verdict.REJECTED, "loader")
    )
    assert text == (
        "old: glimpse_src is expected to be accepted (every kernel), and was rejected as loop"
    )


def test_a_cell_without_a_verdict_is_a_difference_unless_it_is_told_already() -> None:
    lost = cell(GLIMPSE, Verdict.ERROR, message="no verdict came")
    (text,) = differences(lost, otherwise={})
    assert text.endswith("and was not judged (no verdict came)")
    assert differences(lost, otherwise={}, told=True) == []


@pytest.mark.parametrize("verdict", ["failed", "error"])
def test_every_test_is_expected_to_pass(verdict: str) -> None:
    row = Trial("old", "6.1.0-9", "attach", verdict, 1, 1, "2 differences", {})
    assert differences(tests=(row,)) == [
        f"old: test attach is expected to pass, and its verdict is {verdict}: 2 differences"
    ]


def test_a_class_that_does_not_exist_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "6.1.toml").write_text('[otherwise]\nloop_bad = "lopo"\n')
    with pytest.raises(BadInput, match="loop_bad = 'lopo' is neither `accepted` nor a class"):
        expectations.check(tmp_path)


def test_the_projects_own_expectations_can_be_read() -> None:
    expectations.check()
    assert {path.stem for path in expectations.FOLDER.glob("*.toml")} >= {"6.1", "6.12", "6.18"}
    assert expectations.exceptions("6.1.0-56-cloud-amd64") is not None
    assert expectations.exceptions("1.0") is None


def test_every_source_of_bpf_is_listed(tmp_path: Path) -> None:
    (tmp_path / "lessons" / "kernels").mkdir(parents=True)
    for name, text in (
        ("plain.bpf.c", ""),
        ("keyed.bpf.c", '#include "key.h"\n'),
        ("lessons/loop.bpf.c", ""),
        ("lessons/kernels/not_equal.bpf.c", ""),
    ):
        (tmp_path / name).write_text(text)
    assert list(stems(tmp_path)) == [
        ("keyed_src", None),
        ("keyed_flow", None),
        ("plain", None),
        ("lessons/kernels/not_equal", "not_equal"),
        ("lessons/loop", "loop"),
    ]
    with pytest.raises(EnvironmentProblem, match="the BPF sources are not at"):
        list(stems(tmp_path / "nowhere"))


OUTCOMES = (
    KernelOutcome(
        "old",
        "6.1.0-9",
        accelerator="tcg",
        seconds=1.26,
        cells=(
            cell(GLIMPSE, Verdict.ACCEPTED, instructions=5149, states=260, peak_states=237),
            cell(BAD, Verdict.REJECTED, "loop", message="back-edge"),
        ),
        tests=(Trial("old", "6.1.0-9", "attach", "passed", 200, 1280, None, {}),),
    ),
    KernelOutcome(
        "gone",
        cells=tuple(Cell("gone", None, p.name, Verdict.ERROR) for p in (GLIMPSE, BAD)),
        problem=Problem("the guest never answered, in 9 s", "look at it"),
        exit_code=3,
    ),
)


def printed(form: Format) -> str:
    out = StringIO()
    write(report.for_programs(OUTCOMES, {}), form, out)
    return out.getvalue()


def test_json_has_a_row_for_each_cell_and_null_where_nothing_applies() -> None:
    document = json.loads(printed(Format.JSON))
    assert document["schema"] == 1
    first, second, third, _ = document["results"]
    assert (first["kernel"], first["program"], first["verdict"]) == (
        "old",
        "glimpse_src",
        "accepted",
    )
    assert (first["instructions"], first["class"], first["message"]) == (5149, None, None)
    assert (second["verdict"], second["class"], second["message"]) == (
        "rejected",
        "loop",
        "back-edge",
    )
    assert (third["kernel"], third["verdict"], third["release"]) == ("gone", "error", None)
    assert document["tests"][0]["verdict"] == "passed"
    assert document["kernels"][0]["seconds"] == 1.3
    assert document["kernels"][1]["problem"] == "the guest never answered, in 9 s"


def test_csv_and_jsonl_have_the_same_rows() -> None:
    head, *rows = printed(Format.CSV).splitlines()
    assert head.startswith("kernel,release,program,verdict,instructions")
    assert len(rows) == 4
    assert len(printed(Format.JSONL).splitlines()) == 1 + 4


def test_the_tables_are_programs_and_tests_by_kernels() -> None:
    programs, tests = report.for_people(OUTCOMES)
    assert programs.rows == [
        {
            "program": "glimpse_src",
            "old (6.1.0-9)": "5,149 / 260 / 237",
            "gone (no answer)": "error",
        },
        {"program": "loop_bad", "old (6.1.0-9)": "loop", "gone (no answer)": "error"},
    ]
    assert tests.rows is not None
    assert tests.rows[0]["old (6.1.0-9)"] == "passed (200 packets, 1,280 bytes)"


def test_a_kernel_that_could_not_be_asked_ends_with_3() -> None:
    problem = report.failure(OUTCOMES)
    assert isinstance(problem, EnvironmentProblem)
    assert str(problem) == "gone: the guest never answered, in 9 s"
    assert problem.try_ == "look at it"


def test_a_difference_ends_with_8() -> None:
    problem = report.failure((KernelOutcome("old", differences=("old: x", "old: y")),))
    assert isinstance(problem, CheckFailed)
    assert str(problem) == "2 results are not as expected: old: x"


def test_a_missing_privilege_alone_ends_with_4() -> None:
    lacking = KernelOutcome("here", problem=Problem("no root"), exit_code=4)
    assert isinstance(report.failure((lacking,)), PermissionProblem)
    assert type(report.failure((lacking, *OUTCOMES))) is EnvironmentProblem
    assert exit_code_of(PermissionProblem("x")) == 4
    assert exit_code_of(BadInput("x")) == 3


def test_all_well_is_no_failure() -> None:
    assert report.failure(OUTCOMES[:1]) is None
