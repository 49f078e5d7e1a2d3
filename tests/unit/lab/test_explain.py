from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from lab.cli import run

LOG = """\
0: R1=ctx() R10=fp0
; return data[12]; @ drop.bpf.c:2
0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2=pkt(r=0)
1: (71) r5 = *(u8 *)(r2 +12)
invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)
R2 offset is outside of the packet
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "drop.log"
    path.write_text(LOG)
    return str(path)


def test_a_file_is_explained(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", log]) == 0
    out = capsys.readouterr().out
    assert out.startswith("packet_bounds (verifier)")
    assert "  > 2 | return data[12];" in out
    assert "\x1b" not in out


def test_stdin_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    assert run(["explain", "-"]) == 0
    assert "packet_bounds" in capsys.readouterr().out


def test_jsonl_has_a_record_per_log(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", log, log, "--format", "jsonl"]) == 0
    head, first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (head["schema"], head["logs"]) == (1, 2)
    assert first == second
    assert {
        "class": "packet_bounds",
        "layer": "verifier",
        "message": "invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)",
        "instruction": 1,
        "source_line": "return data[12];",
        "source_file": "drop.bpf.c",
        "source_line_number": 2,
    }.items() <= first.items()
    assert first["path"][0]["source_line"] == "return data[12];"


def test_source_shows_the_lines_around(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "drop.bpf.c"
    source.write_text("before();\n\treturn data[12];\nafter();\n")
    assert run(["explain", log, "--source", str(source)]) == 0
    out = capsys.readouterr().out
    assert "    1 | before();\n  > 2 |         return data[12];\n    3 | after();" in out


def test_a_missing_source_is_named(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", log, "--source", "/nowhere.c"]) == 7
    error = capsys.readouterr().err
    assert error == (
        "error: cannot read /nowhere.c: no such file or directory\n"
        "try: name the C file that was compiled, or leave --source out\n"
    )


def test_a_missing_log_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "/nowhere.log"]) == 7
    assert "error: /nowhere.log cannot be read: no such file" in capsys.readouterr().err


def test_several_logs_have_headings(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", log, log]) == 0
    assert capsys.readouterr().out.count(f"== {log} ==") == 2


def test_a_terminal_gets_colours_unless_it_wants_none(
    log: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lab.commands import explain

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\x1b[" in explain._coloured("Reason:")
    assert explain._coloured("  plain") == "  plain"
    monkeypatch.setenv("NO_COLOR", "1")
    assert explain._coloured("Reason:") == "Reason:"
