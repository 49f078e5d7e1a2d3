from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import build, cli
from tests.kernel.conftest import needs_clang, needs_root
from tests.kernel.namespaces import DEADLINE_S, ROOT
from verifier_diary import journal
from verifier_diary.model import Layer

pytestmark = [needs_root, needs_clang]

HEAD = """#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
"""
BAD = """
SEC("xdp")
int bad(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data;
	return data[100];
}
"""
FINE = """
SEC("?xdp")
int fine(struct xdp_md *ctx)
{
	return XDP_PASS;
}
"""
EMPTY_MAP = """
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 0);
	__type(key, int);
	__type(value, int);
} none SEC(".maps");

SEC("xdp")
int look(struct xdp_md *ctx)
{
	int key = 0;

	return bpf_map_lookup_elem(&none, &key) ? XDP_DROP : XDP_PASS;
}
"""
LONGER = FINE.replace("return", "if (ctx->data == ctx->ingress_ifindex)\n\t\treturn 7;\n\treturn")
WAITED = "waiting for a save"
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Write a source: `source(FINE, BAD)`."""

    def write(*programs: str, name: str = "tiny.bpf.c") -> Path:
        path = tmp_path / name
        path.write_text(HEAD + "".join(programs))
        return path

    return write


@pytest.fixture
def verified(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Rows]]:
    """Run `lab verify` and return its code and rows."""

    def run(path: Path, *arguments: str) -> tuple[int, Rows]:
        code = cli.run(["verify", str(path), "--format", "json", *arguments])
        return code, json.loads(capsys.readouterr().out)["results"]

    return run


def test_each_program_has_a_verdict_of_its_own(source, verified) -> None:
    code, rows = verified(source(BAD, FINE))
    assert code == 8
    assert {row["program"]: row["accepted"] for row in rows} == {"bad": False, "fine": True}


def test_rejected_program_has_message_and_c_line(source, verified) -> None:
    _, (row,) = verified(source(BAD))
    assert row["message"].startswith("invalid access to packet, off=100 size=1")
    assert row["source_line"] == "return data[100];"
    assert row["source_file"].endswith("tiny.bpf.c")  # before Linux 6.9 with its folder
    assert row["source_line_number"] == 9
    assert (row["layer"], row["errno"], row["type"]) == ("verifier", 13, "xdp")
    assert (row["class"], row["instructions"]) == ("packet_bounds", 2)
    assert row["log"].rstrip().splitlines()[-1].startswith("processed 2 insns")


def test_accepted_program_has_numbers_and_no_reason(source, verified) -> None:
    code, (row,) = verified(source(FINE))
    assert code == 0
    assert (row["instructions"], row["stack"]) == (2, 0)
    assert row["states"] is not None
    assert row["peak_states"] is not None
    assert [row[name] for name in ("layer", "errno", "message", "source_line")] == [None] * 4


def test_object_is_verified_like_its_source(source, verified, tmp_path: Path) -> None:
    built = build.compile(source(BAD, FINE), out=tmp_path / "tiny.bpf.o")
    code, rows = verified(built.object)
    assert code == 8
    assert [row["accepted"] for row in rows] == [False, True]


def test_full_log_has_the_accepted_paths_too(source, verified) -> None:
    _, (short,) = verified(source(FINE))
    _, (full,) = verified(source(FINE), "--full-log")
    assert "(95) exit" not in short["log"]
    assert "(95) exit" in full["log"]


def test_source_with_a_key_is_built_and_verified_for_both(verified) -> None:
    code, rows = verified(build.BPF / "baseline.bpf.c")
    assert code == 0
    assert [row["object"] for row in rows] == ["baseline_src", "baseline_flow"]


def test_error_of_clang_is_shown_and_journaled(source, capsys, journal_directory: Path) -> None:
    path = source("int x = nix;\n")
    assert cli.run(["verify", str(path)]) == 8
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tiny.bpf.c:4:9: error: use of undeclared identifier 'nix'\n")
    assert f"error: clang refused {path}\n" in err
    (attempt,) = journal.read(journal_directory)
    assert attempt.layer is Layer.COMPILER


def test_every_attempt_is_in_the_journal(source, verified, journal_directory: Path) -> None:
    verified(source(BAD, FINE))
    found = [(a.program.function, a.accepted) for a in journal.read(journal_directory)]
    assert sorted(found) == [("bad", False), ("fine", True)]


def test_map_that_cannot_be_made_is_the_kernel_s_refusal(source, verified) -> None:
    code, (row,) = verified(source(EMPTY_MAP))
    assert (code, row["layer"]) == (8, "kernel")
    assert "map 'none': failed to create: Invalid argument" in row["message"]


def test_section_that_libbpf_does_not_know_is_its_refusal(source, verified) -> None:
    code, (row,) = verified(source(FINE.replace("?xdp", "nowhere")))
    assert (code, row["layer"], row["section"]) == (8, "libbpf", "nowhere")
    assert row["message"] == (
        "prog 'fine': missing BPF prog type, check ELF section name 'nowhere'"
    )


@pytest.mark.parametrize("text", ["", "int x;\n"])
def test_file_without_a_program_ends_with_7(source, capsys, text: str) -> None:
    path = source(text)
    assert cli.run(["verify", str(path)]) == 7
    assert capsys.readouterr().err == (
        f'error: {path} holds no BPF program\ntry: mark a function with SEC("xdp") or the like\n'
    )


@pytest.mark.parametrize("size", [64, 700])
def test_damaged_object_ends_with_7(tmp_path: Path, capsys, size: int) -> None:
    path = tmp_path / "cut.bpf.o"
    path.write_bytes(build.object_path("hello").read_bytes()[:size])
    assert cli.run(["verify", str(path)]) == 7
    out, err = capsys.readouterr()
    assert out == ""
    assert f"error: {path} cannot be read as a BPF object: libbpf: elf: " in err
    assert "try: compile it again" in err


def lab(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "lab.cli", "verify", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_missing_privilege_ends_with_4(source) -> None:
    without = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
    object_file = build.compile(source(FINE), out=source(FINE).with_suffix(".o")).object
    with lab(str(object_file), prefix=without) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (4, "")
    assert "error: loading fine needs CAP_BPF and CAP_NET_ADMIN" in err
    assert "try: run it with sudo" in err


@pytest.fixture
def watching(source) -> Iterator[tuple[Path, Iterator[str], subprocess.Popen[str]]]:
    """Watch an accepted program that includes a header; yields file, coming lines, process."""
    path = source('#include "tiny.h"\n', FINE)
    path.with_name("tiny.h").write_text("#define N 1\n")
    with lab(str(path), "--watch") as process:
        assert process.stdout
        assert process.stderr
        try:
            assert WAITED in process.stderr.readline()
            yield path, iter(process.stdout), process
        finally:
            process.kill()


def until(lines: Iterator[str], words: str) -> str:
    """Return the first line with these words; pytest's timeout is the deadline."""
    for line in lines:
        if words in line:
            return line.strip()
    return pytest.fail(f"the watch ended without {words!r}")


def test_watch_tells_what_each_save_changed(watching, source) -> None:
    path, lines, process = watching
    include = '#include "tiny.h"\n'
    source(include, LONGER)
    assert until(lines, "fine:").startswith("fine: accepted: 2 -> ")
    source(include, BAD.replace("bad", "fine").replace("100", "N"))
    assert "fine: now rejected: invalid access to packet, off=1 " in until(lines, "fine:")
    path.with_name("tiny.h").write_text("#define N 22\n")
    assert until(lines, "saved:") == "tiny.h saved:"
    assert "fine: still rejected, but now: invalid access to packet, off=22 " in until(
        lines, "fine:"
    )
    source("int x = nix;\n")
    until(lines, "clang refused it")
    source(include, FINE)
    assert until(lines, "fine:") == "fine: now accepted: 2 instructions"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=DEADLINE_S) == 130


def test_watch_ends_with_0_when_it_is_terminated(watching) -> None:
    _, _, process = watching
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=DEADLINE_S) == 0


def test_watch_of_a_missing_file_ends_with_7(tmp_path: Path, capsys) -> None:
    assert cli.run(["verify", str(tmp_path / "no.bpf.c"), "--watch"]) == 7
    assert "no such file" in capsys.readouterr().err
