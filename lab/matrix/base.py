"""The base of every guest: busybox, this Python with numpy and cffi, libbpf, ip. Made once, kept.

Python's modules are compiled, and come without their sources: a guest without hardware
virtualisation would spend seconds on that at every start.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.errors import EnvironmentProblem
from lab.matrix import archive, bytecode
from lab.matrix.libraries import libraries, library
from lab.matrix.tools import find
from verifier_diary.ownership import inherit_owner, make_directory

HOME = "/python"
LIBRARY_PATH = "/etc/library-path"
INIT = Path(__file__).with_name("init.sh")
DISTRIBUTIONS = ("cffi", "numpy", "pycparser")
# Of the standard library: what no guest needs.
_LEFT_OUT = {"test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "site-packages"}
_LEFT_OUT |= {"distutils", "pydoc_data", "dist-packages", "venv", "__pycache__"}
# Extension modules that would bring half a desktop along.
_LEFT_OUT_MODULES = {"_tkinter", "_sqlite3", "_ssl", "_curses", "_curses_panel", "readline", "nis"}
_LEFT_OUT_MODULES |= {"_dbm", "_gdbm", "_crypt"}
_LEFT_OUT_OF_NUMPY = {"tests", "f2py", "distutils", "include", "_pyinstaller"}
_SONAMES = ("libbpf.so.1",)
# They change whenever a library is installed or upgraded.
_LINKER = (Path("/etc/ld.so.cache"), Path("/var/lib/dpkg/status"))
_SHELL_TOOLS = ("busybox",)


def base(cache: Path) -> Path:
    """Return the archive, made where it is missing or its parts have changed."""
    if platform.machine() != "x86_64":
        raise EnvironmentProblem(
            f"other kernels are booted on x86-64 only, and this is {platform.machine()}",
            try_="lab matrix --only running",
        )
    tree = layout()
    target = cache / "matrix" / f"base-{fingerprint(tree)}.cpio"
    if not target.exists():
        tree |= shared_libraries(tree)
        make_directory(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".base-") as name:
            work = Path(name)
            archive.write(bytecode.compiled(tree, work), work / "base")
            (work / "base").rename(target)
        inherit_owner(target)
        _forget_others(target)
    return target


def layout() -> dict[str, Path | bytes | None]:
    """Return what the base holds but for shared libraries, by its path in the guest.

    Python's sources stand for their bytecode.
    """
    python = Path(sys.executable).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    home = f"{HOME}/lib/{version}"
    tree: dict[str, Path | bytes | None] = {"/init": INIT.read_bytes()}
    tree |= {f"/{name}": None for name in ("dev", "proc", "sys", "tmp", "run", "etc", "work")}
    tree |= {f"/bin/{name}": Path(find(name)) for name in _SHELL_TOOLS}
    tree["/sbin/ip"] = Path(find("ip")).resolve()
    tree[f"{HOME}/bin/python"] = python
    tree |= {f"{home}/{name}": path for name, path in _standard_library()}
    tree |= {f"{HOME}/packages/{name}": path for name, path in _distributions()}
    return tree


def shared_libraries(tree: archive.Tree) -> dict[str, Path | bytes | None]:
    """Return the libraries that a tree's programs need, and the folders that they are in."""
    binaries = [p for p in tree.values() if isinstance(p, Path) and _is_binary(p)]
    wanted = set(map(library, _SONAMES))
    shared = [p for p in libraries([*binaries, *wanted]) | wanted if not _is_inside(p, binaries)]
    folders = sorted({str(path.parent) for path in shared})
    return {str(path): path for path in shared} | {LIBRARY_PATH: ":".join(folders).encode()}


def fingerprint(tree: archive.Tree) -> str:
    """Return what changes when a part of the base does."""
    parts: list[list[object]] = [[str(path), _state(path)] for path in _LINKER if path.exists()]
    for path, content in sorted(tree.items()):
        if isinstance(content, Path):
            parts.append([path, _state(content)])
        else:
            parts.append([path, hashlib.sha256(content or b"").hexdigest()])
    return hashlib.sha256(json.dumps([sys.version, parts]).encode()).hexdigest()[:16]


def _state(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def _standard_library() -> Iterator[tuple[str, Path]]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in root.rglob("*"):
        inside = path.relative_to(root)
        left_out = _LEFT_OUT & set(inside.parts) or path.name.split(".")[0] in _LEFT_OUT_MODULES
        if path.suffix in (".py", ".so") and not left_out:
            yield str(inside), path
    dynamic = Path(sysconfig.get_config_var("DESTSHARED") or root / "lib-dynload")
    for path in dynamic.glob("*.so"):
        if path.name.split(".")[0] not in _LEFT_OUT_MODULES:
            yield f"lib-dynload/{path.name}", path


# numpy and cffi bring libraries of their own in folders beside them, which `files` lists too.
def _distributions() -> Iterator[tuple[str, Path]]:
    for name in DISTRIBUTIONS:
        for file in importlib.metadata.distribution(name).files or ():
            wanted = file.suffix == ".py" or ".so" in file.suffixes
            if wanted and not _LEFT_OUT_OF_NUMPY & set(file.parts) and ".." not in file.parts:
                yield str(file), Path(str(file.locate()))


def _is_binary(path: Path) -> bool:
    return ".so" in path.suffixes or path.suffix == "" or path.name.startswith("python")


# What a wheel brings along is in the tree already, at the place where it looks for it.
def _is_inside(path: Path, placed: list[Path]) -> bool:
    return path.resolve() in {one.resolve() for one in placed}


def _forget_others(kept: Path) -> None:
    for path in kept.parent.glob("base-*.cpio"):
        if path != kept:
            path.unlink(missing_ok=True)
