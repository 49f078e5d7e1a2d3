"""Compile a file where need be, load each of its programs alone, and say what came of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import build, loader
from lab.build import Build
from lab.errors import BadInput
from lab.verify.reason import reason
from verifier_diary.model import Attempt, Layer
from verifier_diary.scrub import scrub

_ELF = b"\x7fELF"
# LIBBPF_ERRNO__LIBELF, __FORMAT, __ENDIAN: the file is damaged or another machine's.
_UNREADABLE = {4000, 4001, 4003}


@dataclass(frozen=True)
class Verdict:
    """What came of one program; what does not apply is None."""

    program: str | None
    section: str | None
    type: str | None
    object: str  # the stem: a source may be compiled once for each key
    accepted: bool
    layer: str | None  # who refused
    errno: int | None
    instructions: int | None  # processed by the verifier
    states: int | None
    peak_states: int | None
    stack: int | None  # bytes, of all functions together
    class_id: str | None  # of the rejection, in the diary's catalogue
    message: str | None
    source_line: str | None  # the C text
    source_file: str | None
    source_line_number: int | None
    log: str | None  # all that was said by who decided
    report: str | None = None  # the diagnosis, for people

    @property
    def name(self) -> str:
        """Return what a person calls it: the program, or the object that has none."""
        return self.program or self.object

    @property
    def place(self) -> str | None:
        """Return `file:line` of the C line."""
        if self.source_line_number is None:
            return self.source_file
        return f"{self.source_file}:{self.source_line_number}"


@dataclass(frozen=True)
class Verification:
    """What came of one file."""

    path: Path
    verdicts: tuple[Verdict, ...]
    clang: str  # errors and warnings, as it prints them
    sources: tuple[str, ...]  # what it was compiled from, as the journal names files

    @property
    def rejected(self) -> tuple[Verdict, ...]:
        """Return those that were refused."""
        return tuple(verdict for verdict in self.verdicts if not verdict.accepted)

    @property
    def compiled(self) -> bool:
        """Say whether clang took it."""
        return all(verdict.layer != Layer.COMPILER for verdict in self.verdicts)


def verify(path: Path, *, full_log: bool = False) -> Verification:
    """Verify every program of a C source or object file, those of `SEC("?...")` included.

    `full_log` asks the verifier for all paths, not only for the one that failed. Raises BadInput
    for a file that is neither, or has no program.
    """
    builds = (build.describe(path),) if _is_object(path) else build.compile_all(path)
    verdicts = tuple(verdict_of(a) for built in builds for a in _attempts(built, full_log))
    if not verdicts:
        raise BadInput(
            f"{path} holds no BPF program", try_='mark a function with SEC("xdp") or the like'
        )
    said = dict.fromkeys(built.messages for built in builds)
    sources = dict.fromkeys(source.path for built in builds for source in built.sources)
    return Verification(path, verdicts, "".join(said), tuple(sources))


def verdict_of(attempt: Attempt) -> Verdict:
    """Return what a reader wants to know about an attempt, without kernel addresses."""
    program, stats = attempt.program, attempt.stats
    why = reason(attempt)
    return Verdict(
        object=program.object or "",
        program=program.function or None,
        section=program.section,
        type=program.type,
        accepted=attempt.accepted,
        layer=attempt.layer,
        errno=attempt.errno,
        instructions=stats.instructions,
        states=stats.states,
        peak_states=stats.peak_states,
        stack=sum(stats.stack_depth) if stats.stack_depth else None,
        class_id=why.class_id or None,
        message=scrub(why.message) if why.message else None,
        source_line=why.source_line,
        source_file=why.source_file,
        source_line_number=why.source_line_number,
        log=scrub(attempt.log or attempt.messages) or None,
        report=scrub(why.report) or None,
    )


def _attempts(built: Build, full_log: bool) -> Iterator[Attempt]:
    for loaded in loader.load_each(built, full_log=full_log):
        loaded.close()
        attempt = loaded.attempt
        if attempt.layer is Layer.LIBBPF and attempt.errno in _UNREADABLE:
            raise BadInput(
                f"{built.object} cannot be read as a BPF object: {loader.last_message(attempt)}",
                try_="compile it again",
            )
        yield attempt


def _is_object(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(65536)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {(error.strerror or '').lower()}") from error
    if head.startswith(_ELF):
        return True
    if path.suffix == ".c" and b"\0" not in head:
        return False
    raise BadInput(
        f"{path} is neither C source (.c) nor a BPF object file",
        try_="lab verify FILE.c, or an object that `clang -O2 -g -target bpf -c` made",
    )
