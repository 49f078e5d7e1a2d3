from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab import build, toolchain
from lab.errors import BadInput, CheckFailed, EnvironmentProblem, PermissionProblem, UsageError_
from verifier_diary import journal
from verifier_diary.model import Layer, sha256_of

needs_clang = pytest.mark.skipif(not shutil.which("clang"), reason="no clang; run `make setup`")

TINY = "#define SEC(name) __attribute__((section(name), used))\n"
PROGRAM = TINY + 'SEC("xdp") int tiny(void *ctx) { return 2; }\n'


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "tiny.bpf.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("glimpse.bpf.c", "glimpse"),
        ("glimpse_src.bpf.o", "glimpse_src"),
        ("plain.c", "plain"),
        ("a.b.o", "a.b"),
    ],
)
def test_stem_is_the_noun(name: str, stem: str) -> None:
    assert build.stem_of(Path(name)) == stem


@needs_clang
def test_compile_makes_an_object(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "tiny.bpf.o"
    built = build.compile(source, out=out)
    assert built.ok
    assert built.object == out
    assert out.read_bytes()[:4] == b"\x7fELF"
    assert "-target" in built.flags


@needs_clang
def test_compile_goes_to_the_persons_cache_by_default(source: Path, tmp_path: Path) -> None:
    assert build.compile(source).object.is_relative_to(tmp_path / "cache" / "glimpse")


@needs_clang
def test_compile_records_source_and_headers(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.h").write_text("#define VERDICT 2\n")
    source.write_text('#include "mine.h"\n#include <linux/bpf.h>\n' + PROGRAM)
    sources = build.compile(source).sources
    assert [Path(s.path).name for s in sources] == ["tiny.bpf.c", "mine.h"]
    assert sources[1].sha256 == sha256_of("#define VERDICT 2\n")


@needs_clang
def test_compile_failure_is_data(source: Path) -> None:
    source.write_text(PROGRAM + "int broken(")
    built = build.compile(source)
    assert not built.ok
    assert "error:" in built.messages
    assert [Path(s.path).name for s in built.sources] == ["tiny.bpf.c"]


@needs_clang
def test_warnings_are_kept(source: Path) -> None:
    source.write_text(PROGRAM + "static int unused;\n")
    built = build.compile(source)
    assert built.ok
    assert "unused" in built.messages


@needs_clang
def test_defines_and_includes_reach_clang(source: Path, tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "far.h").write_text("")
    source.write_text('#include "far.h"\n#ifndef WANTED\n#error not defined\n#endif\n' + PROGRAM)
    assert not build.compile(source).ok
    assert build.compile(source, defines=("WANTED",), includes=(tmp_path / "inc",)).ok


@needs_clang
def test_object_does_not_depend_on_its_folder(source: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "tiny.bpf.c"
    elsewhere.parent.mkdir()
    shutil.copy(source, elsewhere)
    one, two = build.compile(source), build.compile(elsewhere)
    assert one.object.read_bytes() == two.object.read_bytes()


@needs_clang
def test_source_with_a_key_is_compiled_for_each(source: Path) -> None:
    (source.parent / "key.h").write_text("")
    source.write_text('#include "key.h"\n' + PROGRAM)
    built = build.compile_all(source)
    assert [b.stem for b in built] == ["tiny_src", "tiny_flow"]
    assert [f"-D{build.KEY_FLOW}" in b.flags for b in built] == [False, True]


@needs_clang
def test_source_without_a_key_is_compiled_once(source: Path) -> None:
    assert [b.stem for b in build.compile_all(source)] == ["tiny"]


@needs_clang
def test_describe_finds_what_an_object_was_built_from(source: Path, tmp_path: Path) -> None:
    built = build.compile(source, out=tmp_path / "tiny.bpf.o")
    described = build.describe(built.object)
    assert described.sources == built.sources
    assert described.flags == built.flags


@needs_clang
def test_source_that_changed_since_is_not_described(source: Path, tmp_path: Path) -> None:
    built = build.compile(source, out=tmp_path / "tiny.bpf.o")
    later = built.object.stat().st_mtime_ns + 10**9
    os.utime(source, ns=(later, later))
    assert build.describe(built.object).sources == ()


def test_unwritable_folder_is_a_permission_problem(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(build, "find", lambda _: "clang")
    with pytest.raises(PermissionProblem, match="objects cannot be written to") as got:
        build.compile(source, out=tmp_path / "closed" / "tiny.bpf.o")
    assert "chown" in str(got.value.try_)


def test_strangers_object_has_no_known_sources(tmp_path: Path) -> None:
    described = build.describe(tmp_path / "stranger.o")
    assert (described.stem, described.sources, described.flags) == ("stranger", (), ())


def test_missing_source_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*gone\.bpf\.c: No such file"):
        build.compile(tmp_path / "gone.bpf.c")


@pytest.mark.parametrize(("tool", "package"), [("clang", "clang"), ("make", "make")])
def test_missing_tool_names_its_package(
    monkeypatch: pytest.MonkeyPatch, tool: str, package: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(EnvironmentProblem, match=f"{tool} is not installed") as got:
        toolchain.find(tool)
    assert f"sudo apt-get install {package}" in str(got.value.try_)


def test_kernel_without_btf_is_an_environment_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(toolchain, "KERNEL_BTF", tmp_path / "none")
    with pytest.raises(EnvironmentProblem, match="the kernel has no BTF"):
        toolchain.vmlinux_directory()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a bpf/ folder of its own, with the real Makefile."""
    folder = tmp_path / "bpf"
    (folder / "include").mkdir(parents=True)
    (folder / "lessons").mkdir()
    shutil.copy(build.BPF / "Makefile", folder)
    (folder / "plain.bpf.c").write_text(PROGRAM)
    (folder / "include" / "key.h").write_text("")
    (folder / "keyed.bpf.c").write_text('#include "key.h"\n' + PROGRAM)
    (folder / "lessons" / "lesson.bpf.c").write_text(PROGRAM)
    monkeypatch.setattr(build, "BPF", folder)
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    return folder


needs_make = pytest.mark.skipif(
    not (shutil.which("make") and shutil.which("clang")), reason="no make; run `make setup`"
)


@needs_make
@pytest.mark.parametrize("stem", ["plain", "keyed_src", "keyed_flow", "lessons/lesson"])
def test_object_path_builds_what_is_asked_for(project: Path, stem: str) -> None:
    path = build.object_path(stem)
    assert path == project / "build" / f"{stem}.bpf.o"
    assert path.exists()
    assert [p for p in (project / "build").glob("*.o") if p != path] == []


@needs_make
def test_object_path_builds_again_when_a_header_changes(project: Path) -> None:
    path = build.object_path("keyed_src")
    before = path.stat().st_mtime_ns
    assert build.object_path("keyed_src").stat().st_mtime_ns == before
    (project / "include" / "key.h").write_text("static int unused;\n")
    os.utime(project / "include" / "key.h", ns=(before + 10**9, before + 10**9))
    assert build.object_path("keyed_src").stat().st_mtime_ns != before


@needs_make
def test_objects_sources_are_known(project: Path) -> None:
    described = build.describe(build.object_path("keyed_flow"))
    assert [Path(s.path).name for s in described.sources] == ["keyed.bpf.c", "key.h"]
    assert f"-D{build.KEY_FLOW}" in described.flags


@needs_make
def test_unknown_object_is_a_usage_error(project: Path) -> None:
    with pytest.raises(UsageError_, match="there is no program nothing in bpf/") as got:
        build.object_path("nothing")
    assert got.value.try_ == "one of: keyed, plain"


@needs_make
def test_source_clang_refuses_is_in_the_journal(project: Path, tmp_path: Path) -> None:
    (project / "plain.bpf.c").write_text("int broken(")
    with pytest.raises(CheckFailed, match=r"clang refused bpf/plain: .*error:"):
        build.object_path("plain")
    (attempt,) = journal.read(tmp_path / "journal")
    assert attempt.layer is Layer.COMPILER
    assert attempt.program.object == "plain"
    assert attempt.sources[0].text == "int broken("


def test_missing_sources_are_an_environment_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "BPF", tmp_path)
    with pytest.raises(EnvironmentProblem, match="the BPF sources are not at"):
        build.object_path("hello")


@needs_make
@pytest.mark.skipif(os.geteuid() != 0, reason="files change owner only as root; use sudo")
def test_root_leaves_objects_to_the_trees_owner(project: Path) -> None:
    subprocess.run(["chown", "-R", "nobody", str(project)], check=True)
    build.object_path("plain")
    owners = {p.owner() for p in (project / "build").rglob("*")}
    assert owners == {"nobody"}
