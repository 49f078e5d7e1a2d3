from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lab import cli
from lab.errors import PermissionProblem
from lab.libbpf import _ffi
from lab.verify import check, watch
from lab.verify.check import Verification, verdict_of
from lab.verify.watch import Round
from verifier_diary.model import Attempt, Layer, Program, Stats

COLUMNS = {
    *("program", "section", "type", "accepted", "errno", "instructions", "states", "peak_states"),
    *("stack", "message", "source_line", "log"),
}
FINE = verdict_of(
    Attempt(
        Program("fine", "tiny", "xdp", "xdp"),
        accepted=True,
        log="processed 1204 insns\n",
        stats=Stats(instructions=1204, states=60, peak_states=50, stack_depth=(16, 8)),
    )
)
BAD = replace(
    FINE,
    program="bad",
    accepted=False,
    layer=Layer.VERIFIER,
    errno=13,
    message="R1 is bad",
    source_line="return data[100];",
    source_file="tiny.bpf.c",
    source_line_number=8,
    log="1: (71) r0 = *(u8 *)(r1 +100)\nR1 is bad\n",
    class_id="packet_bounds",
    report="packet_bounds (verifier): R1 is bad\n\nReason:\n  it is",
)
CLANG = "tiny.bpf.c:8:9: error: nix\n        return nix;\n"
REFUSED = replace(BAD, program=None, section=None, layer=Layer.COMPILER, message="nix", log=CLANG)
FILE = Path("tiny.bpf.c")

Lab = Callable[..., int]


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Run `lab verify` where the kernel comes to these verdicts."""

    def run(verdicts, *arguments: str, clang: str = "") -> int:
        verification = Verification(FILE, tuple(verdicts), clang, ())
        monkeypatch.setattr(check, "verify", lambda path, full_log: verification)
        return cli.run(["verify", "tiny.bpf.c", *arguments])

    return run


def test_accepted_programs_are_a_table_and_code_0(lab: Lab, capsys) -> None:
    assert lab([FINE]) == 0
    out, err = capsys.readouterr()
    assert out.split()[:7] == [
        "program",
        "section",
        "verdict",
        "instructions",
        "states",
        "peak",
        "states",
    ]
    assert out.splitlines()[-1].split() == ["fine", "xdp", "accepted", "1,204", "60", "50", "24"]
    assert err == ""


def test_rejected_program_shows_the_diagnosis_and_how_to_see_more(lab: Lab, capsys) -> None:
    assert lab([FINE, BAD]) == 8
    out, err = capsys.readouterr()
    assert out.endswith(
        "\nbad (xdp) was rejected by the verifier:\n"
        "packet_bounds (verifier): R1 is bad\n\nReason:\n  it is\n"
    )
    assert err == (
        "error: 1 of 2 programs in tiny.bpf.c rejected\n"
        "try: `lab verify tiny.bpf.c --full-log` shows the whole log\n"
    )


@pytest.mark.parametrize(
    ("layer", "who"),
    [
        (Layer.LIBBPF, "libbpf"),
        (Layer.KERNEL, "the kernel, before it was verified"),
        (Layer.LIMIT, "the verifier, which gave up"),
    ],
)
def test_whoever_rejected_it_is_named(lab: Lab, capsys, layer: Layer, who: str) -> None:
    assert lab([replace(BAD, layer=layer, message=None, report=None)]) == 8
    assert f"bad (xdp) was rejected by {who}:\nno message\n" in capsys.readouterr().out


def test_full_log_shows_the_log_of_each_program(lab: Lab, capsys) -> None:
    assert lab([FINE, BAD], "--full-log") == 8
    out, err = capsys.readouterr()
    assert "the whole log of fine:\nprocessed 1204 insns\n" in out
    assert out.endswith(f"the whole log of bad:\n{BAD.log}")
    assert "try:" not in err


def test_error_of_clang_is_shown_as_it_prints_it(lab: Lab, capsys) -> None:
    assert lab([REFUSED], clang=CLANG) == 8
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"{CLANG}error: clang refused tiny.bpf.c\n"
        "try: mend it; `lab verify tiny.bpf.c --watch` looks again at every save\n"
    )


def test_warning_of_clang_is_shown_and_no_error(lab: Lab, capsys) -> None:
    assert lab([FINE], clang="tiny.bpf.c:2:1: warning: unused\n") == 0
    assert capsys.readouterr().err == "tiny.bpf.c:2:1: warning: unused\n"


def test_json_has_a_row_for_each_program_and_the_environment(lab: Lab, capsys) -> None:
    assert lab([FINE, BAD], "--format", "json") == 8
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert (document["file"], document["accepted"]) == ("tiny.bpf.c", False)
    assert document["environment"]["kernel"]
    fine, bad = document["results"]
    assert set(fine) > COLUMNS
    assert (fine["program"], fine["accepted"], fine["stack"]) == ("fine", True, 24)
    assert [fine[name] for name in ("layer", "errno", "message", "source_line")] == [None] * 4
    assert (bad["layer"], bad["errno"], bad["source_line"]) == ("verifier", 13, "return data[100];")
    assert (bad["class"], bad["log"]) == ("packet_bounds", BAD.log)


def test_json_of_what_clang_refused_has_its_error(lab: Lab, capsys) -> None:
    assert lab([REFUSED], "--format", "json", clang=CLANG) == 8
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert (row["program"], row["accepted"], row["layer"]) == (None, False, "compiler")
    assert (row["message"], row["log"]) == ("nix", CLANG)


def test_jsonl_begins_with_the_metadata(lab: Lab, capsys) -> None:
    assert lab([FINE], "--format", "jsonl") == 0
    head, row = map(json.loads, capsys.readouterr().out.splitlines())
    assert (head["schema"], row["program"]) == (1, "fine")


def test_csv_has_a_line_for_each_program(lab: Lab, capsys) -> None:
    assert lab([FINE, BAD], "--format", "csv") == 8
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["program"] for row in rows] == ["fine", "bad"]


def test_program_without_numbers_has_dashes(lab: Lab, capsys) -> None:
    assert lab([replace(FINE, instructions=None, states=None, peak_states=None, stack=None)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[2:] == ["accepted", "-", "-", "-", "-"]


def test_source_built_for_both_keys_has_a_column_for_the_object(lab: Lab, capsys) -> None:
    assert lab([FINE, replace(FINE, object="tiny_flow")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["tiny", "tiny_flow"]


def test_rejections_of_both_keys_are_told_apart(lab: Lab, capsys) -> None:
    assert lab([BAD, replace(BAD, object="tiny_flow")]) == 8
    out = capsys.readouterr().out
    assert "\nbad of tiny (xdp) was rejected" in out
    assert "\nbad of tiny_flow (xdp) was rejected" in out


def test_numbers_and_texts_of_an_attempt_hold_no_kernel_address() -> None:
    log = "0: (18) r1 = 0xffff8881048d0200\nR0 !read_ok\nprocessed 1 insns\n"
    attempt = Attempt(Program("x"), accepted=False, layer=Layer.VERIFIER, log=log)
    assert "0xffff8881048d0200" not in (verdict_of(attempt).log or "")


@pytest.mark.parametrize("form", ["json", "csv"])
def test_watch_refuses_a_form_that_needs_an_end(lab: Lab, capsys, form: str) -> None:
    assert lab([FINE], "--watch", "--format", form) == 2
    assert capsys.readouterr().err == (
        f"error: --watch has no end, which {form} needs\ntry: --format jsonl, or table\n"
    )


@pytest.fixture
def watched(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Run `lab verify --watch` through these rounds, then interrupt it."""

    def run(rounds, *arguments: str) -> int:
        def interrupted(path: Path, *, full_log: bool):
            yield from rounds
            raise KeyboardInterrupt

        monkeypatch.setattr(watch, "watch", interrupted)
        return lab([], "--watch", *arguments)

    return run


def verification(*verdicts, clang: str = "") -> Verification:
    return Verification(FILE, verdicts, clang, ())


def test_watch_shows_the_table_then_the_changes_and_ends_with_130(watched: Lab, capsys) -> None:
    rounds = [
        Round(0, (), verification(FINE), {}),
        Round(1, (Path("/x/tiny.h"),), verification(FINE), {"fine": "accepted: as before"}),
    ]
    assert watched(rounds) == 130
    out, err = capsys.readouterr()
    assert "1,204" in out
    assert out.endswith("\ntiny.h saved:\n  fine: accepted: as before\n")
    assert err == "waiting for a save; Ctrl-C ends it\ninterrupted\n"


def test_watch_goes_on_after_what_clang_refuses(watched: Lab, capsys) -> None:
    rounds = [
        Round(0, (), verification(FINE), {}),
        Round(1, (FILE,), verification(REFUSED, clang=CLANG), {}),
        Round(2, (FILE,), None, {}, PermissionProblem("who wrote this?")),
    ]
    assert watched(rounds) == 130
    out, err = capsys.readouterr()
    assert out.endswith(
        "\ntiny.bpf.c saved:\n  clang refused it\n\ntiny.bpf.c saved:\n  who wrote this?\n"
    )
    assert CLANG in err


def test_watch_shows_the_whole_log_at_each_save(watched: Lab, capsys) -> None:
    this = Round(1, (FILE,), verification(BAD), {"bad": "still rejected"})
    assert watched([Round(0, (), verification(BAD), {}), this], "--full-log") == 130
    assert capsys.readouterr().out.count("the whole log of bad:") == 2


def test_watch_as_jsonl_numbers_the_rounds(watched: Lab, capsys) -> None:
    rounds = [
        Round(0, (), verification(FINE), {}),
        Round(1, (FILE,), verification(BAD), {"bad": "now rejected"}),
        Round(2, (FILE,), None, {}, PermissionProblem("who wrote this?")),
    ]
    assert watched(rounds, "--format", "jsonl") == 130
    head, first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert head["schema"] == 1
    assert (first["round"], first["change"], first["accepted"]) == (0, None, True)
    assert (second["round"], second["change"], second["accepted"]) == (1, "now rejected", False)
    assert third == {"round": 2, "problem": "who wrote this?"}


NEITHER = (
    "{path} is neither C source (.c) nor a BPF object file",
    "lab verify FILE.c, or an object that `clang -O2 -g -target bpf -c` made",
)


@pytest.mark.parametrize("name", ["notes.txt", "random.c", "header.h"])
def test_file_that_is_neither_ends_with_7(tmp_path: Path, capsys, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x01\x00\x02" if name == "random.c" else b"int x;\n")
    assert cli.run(["verify", str(path)]) == 7
    problem, what_to_do = NEITHER
    expected = f"error: {problem.format(path=path)}\ntry: {what_to_do}\n"
    assert capsys.readouterr().err == expected


def test_missing_file_ends_with_7(capsys) -> None:
    assert cli.run(["verify", "/nowhere/x.bpf.c"]) == 7
    assert capsys.readouterr().err == (
        "error: cannot read /nowhere/x.bpf.c: no such file or directory\n"
    )


def test_object_of_another_machine_ends_with_7(tmp_path: Path, capsys) -> None:
    path = tmp_path / "true.o"
    path.write_bytes(b"\x7fELF\x02\x01".ljust(64, b"\0"))
    assert cli.run(["verify", str(path)]) == 7
    assert "is not a BPF object file" in capsys.readouterr().err


def test_missing_clang_ends_with_3(tmp_path: Path, capsys, monkeypatch) -> None:
    from lab import toolchain

    monkeypatch.setattr(toolchain.shutil, "which", lambda *_, **__: None)
    path = tmp_path / "tiny.bpf.c"
    path.write_text("int x;\n")
    assert cli.run(["verify", str(path)]) == 3
    assert "error: clang is not installed\ntry: sudo apt-get" in capsys.readouterr().err


def test_missing_libbpf_ends_with_3(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(_ffi, "SONAME", "libbpf.so.none")
    _ffi.binding.cache_clear()
    path = tmp_path / "tiny.bpf.o"
    head = b"\x7fELF\x02\x01".ljust(18, b"\0") + (247).to_bytes(2, "little")
    path.write_bytes(head.ljust(64, b"\0"))
    try:
        assert cli.run(["verify", str(path)]) == 3
    finally:
        _ffi.binding.cache_clear()
    assert "is not installed, so no program can be loaded" in capsys.readouterr().err
