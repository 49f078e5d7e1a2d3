"""The base and the payload of a guest: what is in them, and where."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem
from lab.matrix import archive, base, bytecode, libraries, payload
from lab.matrix.modules import Module

needs_cpio = pytest.mark.skipif(
    shutil.which("cpio") is None, reason="cpio is missing; scripts/provision.sh matrix installs it"
)
LDD = """\
/usr/sbin/ip:
\tlinux-vdso.so.1 (0x00007ffd0a5f2000)
\tlibbpf.so.1 => /lib/x86_64-linux-gnu/libbpf.so.1 (0x00007f1d2c000000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f1d2c200000)
/usr/bin/busybox:
\tnot a dynamic executable
"""


@pytest.fixture
def layout(monkeypatch, tmp_path: Path) -> dict[str, Path | bytes | None]:
    """Return the base's layout; busybox and ip need not be installed for that."""
    tool = tmp_path / "tool"
    tool.touch()
    monkeypatch.setattr(base, "find", lambda name: str(tool))
    return base.layout()


def members_of(path: Path) -> list[str]:
    with path.open("rb") as archived:
        done = subprocess.run(
            ["cpio", "--list", "--quiet"], stdin=archived, capture_output=True, check=True
        )
    return done.stdout.decode().splitlines()


def test_folders_come_before_what_is_in_them() -> None:
    tree: archive.Tree = {"/init": b"", "/a/b/c": b"", "/proc": None}
    assert archive.members(tree) == ["a", "a/b", "a/b/c", "init", "proc"]


@needs_cpio
def test_an_archive_holds_files_folders_and_what_links_point_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("content")
    (tmp_path / "link").symlink_to("real")
    target = tmp_path / "out.cpio"
    archive.write({"/init": b"#!", "/dev": None, "/lib/x": tmp_path / "link"}, target)
    assert members_of(target) == ["dev", "init", "lib", "lib/x"]
    assert b"content" in target.read_bytes()


@needs_cpio
def test_the_same_tree_gives_the_same_archive(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("x")
    for name in ("one", "two"):
        archive.write({"/a/source": source}, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_archive_without_cpio_names_the_package(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda *a, **k: None)
    with pytest.raises(EnvironmentProblem) as error:
        archive.write({"/init": b""}, tmp_path / "out")
    assert str(error.value) == "cpio is not installed, which other kernels are booted with"
    assert error.value.try_ == "make matrix, or sudo apt-get install cpio"


def test_the_base_has_a_python_that_can_call_libbpf(layout) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"/python/lib/{version}/json/__init__.py" in layout
    assert "/python/packages/numpy/__init__.py" in layout
    assert "/python/packages/cffi/__init__.py" in layout
    assert any(path.startswith("/python/packages/_cffi_backend.") for path in layout)
    assert {"/init", "/bin/busybox", "/sbin/ip", "/python/bin/python", "/proc"} <= set(layout)


def test_the_base_leaves_out_tests_and_graphics(layout) -> None:
    assert not [path for path in layout if "/test/" in path or "/tkinter/" in path]
    assert not [path for path in layout if "/_tkinter." in path or "/_ssl." in path]
    assert not [path for path in layout if "/numpy/" in path and "/tests/" in path]


def test_the_base_changes_its_name_with_its_parts(tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_text("a")
    before = base.fingerprint({"/part": part, "/init": b"1"})
    assert base.fingerprint({"/part": part, "/init": b"1"}) == before
    assert base.fingerprint({"/part": part, "/init": b"2"}) != before
    part.write_text("longer")
    assert base.fingerprint({"/part": part, "/init": b"1"}) != before


def test_other_machines_are_told_so(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(EnvironmentProblem) as error:
        base.base(tmp_path)
    assert str(error.value) == "other kernels are booted on x86-64 only, and this is aarch64"
    assert error.value.try_ == "lab matrix --only running"


def test_libraries_are_read_from_what_ldd_says() -> None:
    assert libraries.found_in(LDD) == {
        Path("/lib/x86_64-linux-gnu/libbpf.so.1"),
        Path("/lib64/ld-linux-x86-64.so.2"),
    }


def test_a_library_that_is_missing_is_named(monkeypatch) -> None:
    monkeypatch.setattr(libraries, "_run", lambda *a: "\tlibz.so.1 => not found\n")
    with pytest.raises(EnvironmentProblem, match=r"libz.so.1 is not installed"):
        libraries.libraries([Path("/bin/true")])


def test_sources_become_bytecode_that_needs_no_source(tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text("ANSWER = 42\n")
    tree = bytecode.compiled({"/answer.py": tmp_path / "answer.py", "/x": b""}, tmp_path / "work")
    assert set(tree) == {"/answer.pyc", "/x"}
    module = tmp_path / "alone"
    module.mkdir()
    shutil.copy(str(tree["/answer.pyc"]), module / "answer.pyc")
    done = subprocess.run(
        [sys.executable, "-c", "import answer; print(answer.ANSWER)"],
        env={"PYTHONPATH": str(module)},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"42\n"


@needs_cpio
def test_the_payload_has_plan_code_and_modules_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "filled"
    (folder / "objects").mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    (folder / "objects" / "one.bpf.o").write_bytes(b"ELF")
    modules = (Module("first", b"1"), Module("veth", b"2"))
    payload.initramfs(folder, modules, tmp_path / "out.cpio")
    held = members_of(tmp_path / "out.cpio")
    assert {"work/plan.json", "work/objects/one.bpf.o"} <= set(held)
    assert "work/python/lab/loader.pyc" in held
    assert "work/python/lab/matrix/guest/__main__.pyc" in held
    assert "work/python/lab/cli.py" not in held
    assert [name for name in held if name.endswith(".ko")] == [
        "modules/00-first.ko",
        "modules/01-veth.ko",
    ]
