"""Compile BPF programs, and know what they were compiled from; a failure is data."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import BadInput, CheckFailed, EnvironmentProblem, PermissionProblem, UsageError_
from lab.toolchain import cache_directory, find, multiarch, vmlinux_directory
from lab.toolchain import toolchain as toolchain
from verifier_diary.model import SourceText
from verifier_diary.ownership import inherit_owner, make_directory
from verifier_diary.scrub import relative

BPF = Path(__file__).resolve().parent.parent / "bpf"
SUFFIX = ".bpf.o"
KEY_FLOW = "GLIMPSE_KEY_FLOW"
_INCLUDES = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


@dataclass(frozen=True)
class Build:
    """An object file, or why there is none; and in both cases from what."""

    stem: str
    object: Path
    ok: bool = True
    messages: str = ""  # of clang
    flags: tuple[str, ...] = ()
    sources: tuple[SourceText, ...] = ()


def compile(  # noqa: A001 - build.compile reads well, and is what it is
    source: Path | str,
    *,
    out: Path | None = None,
    defines: Sequence[str] = (),
    includes: Sequence[Path | str] = (),
    stem: str | None = None,
) -> Build:
    """Compile one BPF source; without `out` into the person's cache.

    Records the project's own files that went in: the source and the headers found by -MMD.
    """
    source = Path(source).resolve()
    text = _read(source)
    stem = stem or stem_of(source)
    target = (out or _cached(source, stem)).resolve()
    clang = find("clang")
    flags = _flags(source, text, defines, includes)
    _prepare(target.parent)
    depends = target.with_suffix(".d")
    command = [clang, *flags, "-MMD", "-MF", str(depends), "-c", source.name, "-o", str(target)]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", cwd=source.parent, check=False
    )
    ok = done.returncode == 0
    if ok:
        _strip(target)
        _note_command(target, source.parent, flags)
        for made in (target, depends):
            inherit_owner(made)
    sources = _depended(depends, source.parent) or (SourceText.of(relative(source), text),)
    return Build(stem, target, ok, done.stderr, flags, sources)


def compile_all(source: Path | str) -> tuple[Build, ...]:
    """Compile a source as bpf/Makefile would: twice, once per key, if it includes key.h."""
    source = Path(source)
    if "key.h" not in _INCLUDES.findall(_read(source)):
        return (compile(source),)
    stem = stem_of(source)
    return (
        compile(source, stem=f"{stem}_src"),
        compile(source, stem=f"{stem}_flow", defines=(KEY_FLOW,)),
    )


def stem_of(path: Path) -> str:
    """Return a file's noun: `glimpse` of glimpse.bpf.c, `glimpse_src` of glimpse_src.bpf.o."""
    return path.name.removesuffix(path.suffix).removesuffix(".bpf")


def object_path(stem: str) -> Path:
    """Build, where needed, and return one of the project's objects: bpf/build/<stem>.bpf.o."""
    if not (BPF / "Makefile").exists():
        raise EnvironmentProblem(
            f"the BPF sources are not at {BPF}", try_="install the lab editable: `make setup`"
        )
    target = f"build/{stem}{SUFFIX}"
    folder = BPF / "build"
    _prepare(folder)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once would write the same files
        done = _make(target)
        _give_back(folder)
    if done.returncode == 0:
        return BPF / target
    if "No rule to make target" in done.stderr and not _source_exists(stem):
        known = ", ".join(sorted(p.name.removesuffix(".bpf.c") for p in BPF.glob("*.bpf.c")))
        raise UsageError_(f"there is no program {stem} in bpf/", try_=f"one of: {known}")
    from lab import loader

    loader.load(_failed(stem, done.stderr))  # leaves the attempt in the journal
    raise CheckFailed(f"clang refused bpf/{stem}: {done.stderr.strip()}", try_="make -C bpf")


def describe(path: Path) -> Build:
    """Find out what an object that was built here was built from; empty for a stranger's."""
    note, depends = path.with_suffix(".cmd"), path.with_suffix(".d")
    try:
        folder, command = note.read_text(encoding="utf-8").splitlines()[:2]
    except (OSError, ValueError):
        return Build(stem_of(path), path)
    flags = tuple(shlex.split(command)[1:])
    sources = _depended(depends, Path(folder), before=path.stat().st_mtime_ns)
    return Build(stem_of(path), path, flags=flags, sources=sources)


def _read(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise BadInput(f"cannot read {source}: {error.strerror}") from error


# Before clang, whose own message would read as if the program were wrong.
def _prepare(folder: Path) -> None:
    with contextlib.suppress(OSError):
        make_directory(folder)
    if not os.access(folder, os.W_OK):
        raise PermissionProblem(
            f"objects cannot be written to {folder}", try_=f"sudo chown -R $USER {folder}"
        )


# clang runs in the source's own folder and names the folder `.`, so that an object does not depend
# on where the checkout lies.
def _flags(
    source: Path, text: str, defines: Sequence[str], includes: Sequence[Path | str]
) -> tuple[str, ...]:
    folders = [*(Path(p).resolve() for p in includes), BPF / "include"]
    vmlinux = "vmlinux.h" in _INCLUDES.findall(text)
    return (
        *("-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-fdebug-compilation-dir=."),
        *(f"-I{_near(folder, source.parent)}" for folder in folders),
        *(("-isystem", str(vmlinux_directory())) if vmlinux else ()),
        *multiarch(),
        *(f"-D{name}" for name in defines),
    )


def _near(folder: Path, start: Path) -> str:
    inside = start.is_relative_to(BPF) and folder.is_relative_to(BPF)
    return os.path.relpath(folder, start) if inside else str(folder)


def _cached(source: Path, stem: str) -> Path:
    place = hashlib.sha256(str(source).encode()).hexdigest()[:16]
    return cache_directory() / "objects" / place / f"{stem}{SUFFIX}"


# DWARF only makes the object big; BTF and its line numbers stay.
def _strip(target: Path) -> None:
    tool = shutil.which("llvm-strip")
    if tool:
        subprocess.run([tool, "-g", str(target)], capture_output=True, check=False)


def _note_command(target: Path, folder: Path, flags: Sequence[str]) -> None:
    note = target.with_suffix(".cmd")
    note.write_text(f"{folder}\n{shlex.join(['clang', *flags])}\n", encoding="utf-8")
    inherit_owner(note)


# The prerequisites of a make rule, as clang writes it; -MMD leaves system headers out, and `before`
# leaves out what has changed since the object was made, for that is not what it was made from.
def _depended(rule: Path, folder: Path, before: int | None = None) -> tuple[SourceText, ...]:
    try:
        first = rule.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()[0]
    except (OSError, IndexError):
        return ()
    paths = [folder / name for name in shlex.split(first.partition(": ")[2])]
    return tuple(
        _source(path)
        for path in paths
        if path.exists() and (before is None or path.stat().st_mtime_ns <= before)
    )


def _source(path: Path) -> SourceText:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    return SourceText.of(relative(path), text)


def _make(target: str) -> subprocess.CompletedProcess[str]:
    find("clang")
    command = [find("make"), "-s", "-C", str(BPF), target]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


# Under sudo make's files are root's; nothing of root's stays in a person's tree.
def _give_back(folder: Path) -> None:
    if os.geteuid() == 0 and BPF.stat().st_uid != 0:
        for path in (folder, *folder.rglob("*")):
            inherit_owner(path)


def _failed(stem: str, messages: str) -> Build:
    path = BPF / "build" / f"{stem}{SUFFIX}"
    source = _source_of(stem)
    sources = (_source(source),) if source else ()
    return Build(Path(stem).name, path, ok=False, messages=messages, sources=sources)


def _source_exists(stem: str) -> bool:
    return _source_of(stem) is not None


def _source_of(stem: str) -> Path | None:
    names = (stem, stem.removesuffix("_src"), stem.removesuffix("_flow"))
    return next((p for n in names if (p := BPF / f"{n}.bpf.c").exists()), None)
