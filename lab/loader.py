"""Load programs into the kernel, each alone, each attempt in the journal, accepted or not."""

from __future__ import annotations

import contextlib
import errno as errno_module
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab import build
from lab.build import Build
from lab.errors import CheckFailed, UsageError_
from lab.libbpf import _ffi, probe
from lab.libbpf.knobs import KnobValue
from lab.libbpf.maps import Map
from lab.libbpf.object import Object, ObjectRefused, ProgramEntry, without_frags
from lab.libbpf.program import Program
from lab.privilege import permission_problem
from verifier_diary import journal
from verifier_diary.model import Attempt, Layer, parse_stats, sha256_of
from verifier_diary.model import Program as ProgramIdentity
from verifier_diary.origin import Git, Kernel, Origin, Toolchain

LOG_START = 1 << 20  # bytes; the buffer grows until the log fits
LOG_GROWTH = 16  # each try verifies again, and memory that stays untouched costs nothing
LOG_MAX = (1 << 30) - 1  # bytes; the kernel's own maximum (u32 max >> 2)
LEVEL_FAILING_PATH, LEVEL_FULL, LEVEL_STATS = 1, 2, 4

_GAVE_UP = re.compile(
    r"BPF program is too large|The sequence of \d+ jumps is too complex|too many subprograms"
)
_MAP_REFUSED = re.compile(
    r"map '[^']*': failed to create|Error in bpf_(?:object__create|create)_map"
)
_PROGRAM_REFUSED = "load failed"

MapSizes = Mapping[str, int | Mapping[str, int]]


class ProgramRejected(CheckFailed):
    """The program that this needs was rejected; `attempt` says why."""

    def __init__(self, attempt: Attempt) -> None:
        """Name the program and the last thing that was said about it."""
        name = attempt.program.function or attempt.program.object
        super().__init__(
            f"program {name} was refused ({attempt.layer}): {last_message(attempt)}",
            try_="`lab diary show` explains it; `lab verify FILE` tries again",
        )
        self.attempt = attempt


@dataclass
class Loaded:
    """An attempt and, if it was accepted, the live program and its maps; a context manager."""

    attempt: Attempt
    maps: dict[str, Map] = field(default_factory=dict)
    _program: Program | None = None
    _object: Object | None = None

    def __enter__(self) -> Loaded:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of program and maps; what is attached by a link stays until the link ends."""
        if self._object:
            self._object.close()
        self._object = self._program = None
        self.maps = {}

    @property
    def accepted(self) -> bool:
        """Say whether the kernel took the program."""
        return self.attempt.accepted

    @property
    def program(self) -> Program:
        """Return the live program; raises ProgramRejected where there is none."""
        return self.require()

    def require(self) -> Program:
        """Return the live program; raises ProgramRejected where there is none."""
        if self._program is None:
            raise ProgramRejected(self.attempt)
        return self._program


@dataclass(frozen=True)
class _Request:
    build: Build
    program: str | None
    knobs: Mapping[str, KnobValue]
    map_sizes: MapSizes
    share: Mapping[str, Map]
    frags: bool | None
    expected: bool
    level: int


def load(
    target: os.PathLike[str] | str | Build,
    program: str | None = None,
    *,
    knobs: Mapping[str, KnobValue] | None = None,
    map_sizes: MapSizes | None = None,
    share: Mapping[str, Map] | None = None,
    frags: bool | None = None,
    expected: bool = False,
    full_log: bool = False,
) -> Loaded:
    """Load one program of an object file or build, alone; a rejection is data.

    `knobs` sets global variables by name; `map_sizes` sets max_entries or both sizes; `share` uses
    maps that exist. `frags` says whether SEC("xdp.frags") means it (None: if the kernel can).
    `expected` marks a rejection that a test or lesson wants. Raises only when the lab cannot run.
    """
    built = target if isinstance(target, Build) else build.describe(Path(target))
    level = (LEVEL_FULL if full_log else LEVEL_FAILING_PATH) | LEVEL_STATS
    request = _Request(
        built, program, knobs or {}, map_sizes or {}, share or {}, frags, expected, level
    )
    if not built.ok:
        attempt = replace(_draft(request, None), layer=Layer.COMPILER, messages=built.messages)
        return _journaled(Loaded(attempt))
    return _journaled(_load_with_whole_log(request))


def load_each(target: os.PathLike[str] | str | Build, **options: Any) -> Iterator[Loaded]:
    """Load every program of an object, one after another; yields one attempt if none is reached."""
    built = target if isinstance(target, Build) else build.describe(Path(target))
    if not built.ok:
        yield load(built, **options)
        return
    try:
        with Object(built.object) as opened:
            names = [entry.name for entry in opened.programs()]
    except ObjectRefused:
        names = [""]
    for name in names:
        yield load(built, name or None, **options)


def last_message(attempt: Attempt) -> str:
    """Return the last line that says something; the diary's diagnosis knows better."""
    text = attempt.log if attempt.log.strip() else attempt.messages
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not _SUMMARY.match(line)]
    if said:
        return said[-1]
    return _ffi.binding().describe(attempt.errno) if attempt.errno else "no message"


_SUMMARY = re.compile(r"processed \d+ insns|verification time|stack depth|insns processed")


def layer_of(error: int, log: str, messages: str) -> Layer:
    """Say who refused, from errno, the verifier's log and libbpf's messages."""
    if _GAVE_UP.search(log[-4096:]):
        return Layer.LIMIT
    if log.strip():
        return Layer.VERIFIER
    if _MAP_REFUSED.search(messages):
        return Layer.KERNEL
    if _PROGRAM_REFUSED in messages:
        return Layer.LIMIT if error == errno_module.E2BIG else Layer.KERNEL
    return Layer.LIBBPF


def _load_with_whole_log(request: _Request) -> Loaded:
    size = LOG_START
    while True:
        loaded, cut = _load_once(request, size, request.level)
        if not cut:
            return loaded
        loaded.close()
        if size >= LOG_MAX:
            return _load_without_log(request, loaded.attempt)
        size = min(size * LOG_GROWTH, LOG_MAX)


# The log does not fit the kernel's own maximum, which hides the verdict: ask without a log.
def _load_without_log(request: _Request, cut: Attempt) -> Loaded:
    loaded, _ = _load_once(request, LOG_START, 0)
    attempt = replace(loaded.attempt, log=cut.log, log_level=cut.log_level, truncated=True)
    if not attempt.accepted:
        attempt = replace(attempt, layer=Layer.VERIFIER)
    loaded.attempt = attempt
    return loaded


def _load_once(request: _Request, log_size: int, level: int) -> tuple[Loaded, bool]:
    frags = probe.xdp_frags() if request.frags is None else request.frags
    with contextlib.nullcontext() if frags else without_frags():
        return _open_and_load(request, log_size, level)


def _open_and_load(request: _Request, log_size: int, level: int) -> tuple[Loaded, bool]:
    try:
        opened = Object(request.build.object)
    except ObjectRefused as refused:
        attempt = _draft(request, None)
        return Loaded(
            replace(attempt, layer=Layer.LIBBPF, errno=refused.errno, messages=refused.messages)
        ), False
    try:
        entry = opened.choose(request.program or _only(opened))
        _configure(opened, request)
        error = opened.load(level, log_size)
        cut = error == errno_module.ENOSPC and opened.log_full()
        attempt = _judged(_draft(request, entry), opened, error, level)
        if error == 0:
            program = opened.program()
            attempt = replace(attempt, tag=program.info().tag)
            return Loaded(attempt, opened.maps(), program, opened), cut
    except BaseException:
        opened.close()
        raise
    opened.close()
    problem = permission_problem(attempt)
    if problem:
        raise problem
    return Loaded(attempt), cut


def _configure(opened: Object, request: _Request) -> None:
    opened.set_knobs(request.knobs)
    opened.size_maps(request.map_sizes)
    opened.share_maps(request.share)


def _only(opened: Object) -> str:
    names = [entry.name for entry in opened.programs()]
    if len(names) == 1:
        return names[0]
    raise UsageError_(
        f"{opened.path.name} has {len(names)} programs", try_=f"name one of: {', '.join(names)}"
    )


def _judged(draft: Attempt, opened: Object, error: int, level: int) -> Attempt:
    log = opened.log()
    code = opened.instructions()
    return replace(
        draft,
        accepted=error == 0,
        errno=error or None,
        layer=layer_of(error, log, opened.messages) if error else None,
        messages=opened.messages,
        log=log,
        log_level=level,
        stats=parse_stats(log),
        insn_count=len(code) // 8,
        instructions_sha256=sha256_of(code),
    )


def _draft(request: _Request, entry: ProgramEntry | None) -> Attempt:
    built = request.build
    identity = ProgramIdentity(
        function=entry.name if entry else request.program or "",
        object=built.stem,
        section=entry.section if entry else None,
        type=entry.type if entry else None,
    )
    content = built.object.read_bytes() if built.ok else None
    tools = build.toolchain()
    return Attempt(
        identity,
        accepted=False,
        expected=request.expected,
        object_sha256=sha256_of(content) if content is not None else None,
        sources=built.sources,
        knobs=_plain(request.knobs),
        map_sizes=_plain(request.map_sizes),
        origin=Origin.here(),
        git=Git.here(),
        kernel=Kernel.here(),
        toolchain=Toolchain(
            clang=tools["clang"] if built.flags else None,
            flags=built.flags,
            loader="lab",
            libbpf=tools["libbpf"],
        ),
    )


# Bytes as hexadecimal, mappings as dicts, NumPy numbers as Python's: what JSON can hold.
def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return int(value)


def _journaled(loaded: Loaded) -> Loaded:
    journal.append(loaded.attempt)
    return loaded
