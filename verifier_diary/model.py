"""One program load as data: what was loaded, by whom, where, and what the kernel said."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar, cast

from verifier_diary.origin import Git, Kernel, Origin, Toolchain
from verifier_diary.scrub import scrub

SCHEMA = 1
_T = TypeVar("_T")


class Layer(StrEnum):
    """Who refused a program."""

    COMPILER = "compiler"
    LIBBPF = "libbpf"  # before any program load reached the kernel
    KERNEL = "kernel"  # before verification: no log
    VERIFIER = "verifier"
    LIMIT = "limit"  # the verifier gave up: too many instructions, jumps or states
    NOBODY = "none"  # a pasted log of an accepted program


@dataclass(frozen=True, slots=True)
class SourceText:
    """One file that a program was built from; `text` is None where it is not known any more."""

    path: str
    sha256: str
    text: str | None = None

    @classmethod
    def of(cls, path: str, text: str) -> SourceText:
        """Make one from its text."""
        return cls(path, sha256_of(text), text)


@dataclass(frozen=True, slots=True)
class Program:
    """Which program: object stem, section, function; a recorded stranger has no object."""

    function: str
    object: str | None = None
    section: str | None = None
    type: str | None = None

    @property
    def identity(self) -> tuple[str | None, str | None, str]:
        """Return what stays the same from the rejected attempt to its cure.

        Of a lesson's pair that may not be the section: in some the section is the cure.
        """
        name = re.sub(r"_(bad|good)$", "", self.function)
        paired = name != self.function
        section = self.section.removeprefix("?") if self.section and not paired else None
        return self.object, section, name


@dataclass(frozen=True, slots=True)
class Stats:
    """The verifier's own account; None where the log does not say."""

    instructions: int | None = None  # processed, not the program's size
    limit: int | None = None
    states: int | None = None
    peak_states: int | None = None
    max_states_per_insn: int | None = None
    mark_read: int | None = None
    stack_depth: tuple[int, ...] = ()  # bytes, per function
    usec: int | None = None


# These may be glued to the end of another line, and a program may print what looks like one:
# the last match counts.
_PROCESSED = re.compile(
    r"processed (?P<instructions>\d+) insns(?: \(limit (?P<limit>\d+)\))?"
    r"(?: max_states_per_insn (?P<max_states_per_insn>\d+) total_states (?P<states>\d+)"
    r" peak_states (?P<peak_states>\d+) mark_read (?P<mark_read>\d+))?"
    r"(?:, stack depth (?P<stack>\d+(?:\+\d+)*))?"
)
_STACK = re.compile(r"^stack depth (\d+(?:\+\d+)*)", re.MULTILINE)
_USEC = re.compile(r"verification time (\d+) usec")


def parse_stats(log: str) -> Stats:
    """Read the summary lines of a verifier log."""
    summary = log[-4096:]
    numbers: dict[str, int] = {}
    stack: str | None = None
    for match in _PROCESSED.finditer(summary):
        groups = match.groupdict()
        stack = groups.pop("stack")
        numbers = {name: int(value) for name, value in groups.items() if value is not None}
    depths = _STACK.findall(summary)
    times = _USEC.findall(summary)
    depth = stack or (depths[-1] if depths else None)
    return Stats(
        **numbers,
        stack_depth=tuple(int(part) for part in depth.split("+")) if depth else (),
        usec=int(times[-1]) if times else None,
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One program load, accepted or rejected."""

    program: Program
    accepted: bool
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    time: str = field(default_factory=lambda: now())
    expected: bool = False  # a test or a lesson expects the rejection
    layer: Layer | None = None  # None when accepted
    errno: int | None = None
    messages: str = ""  # of clang or libbpf
    log: str = ""
    log_level: int | None = None
    truncated: bool = False
    log_true_size: int | None = None  # bytes; known where the loader asked the kernel for it
    stats: Stats = field(default_factory=Stats)
    insn_count: int | None = None
    tag: str | None = None  # of the accepted program, by the kernel
    object_sha256: str | None = None
    instructions_sha256: str | None = None  # map descriptors and addresses left out
    sources: tuple[SourceText, ...] = ()
    knobs: dict[str, Any] = field(default_factory=dict)
    map_sizes: dict[str, Any] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    git: Git = field(default_factory=Git)
    kernel: Kernel = field(default_factory=Kernel)
    toolchain: Toolchain = field(default_factory=Toolchain)
    schema: int = SCHEMA

    def scrubbed(self) -> Attempt:
        """Return the attempt without kernel addresses and private paths."""
        origin = replace(self.origin, argv=tuple(scrub(word) for word in self.origin.argv))
        tools = replace(self.toolchain, flags=tuple(scrub(flag) for flag in self.toolchain.flags))
        messages, log = scrub(self.messages), scrub(self.log)
        return replace(self, messages=messages, log=log, origin=origin, toolchain=tools)

    def to_json(self) -> dict[str, Any]:
        """Return the attempt as plain JSON values, texts included, scrubbed."""
        record = asdict(self.scrubbed())
        return {"schema": record.pop("schema"), "id": record.pop("id"), **record}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Attempt:
        """Build an attempt from `to_json`'s record; fields of a newer minor writer are ignored."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in record.items() if name in known}
        layer = values.get("layer")
        return cls(
            **values
            | {
                "layer": Layer(layer) if layer else None,
                "program": _build(Program, values["program"]),
                "stats": _build(Stats, values.get("stats")),
                "sources": tuple(_build(SourceText, s) for s in values.get("sources", ())),
                "origin": _build(Origin, values.get("origin")),
                "git": _build(Git, values.get("git")),
                "kernel": _build(Kernel, values.get("kernel")),
                "toolchain": _build(Toolchain, values.get("toolchain")),
            }
        )


# JSON has lists where the model has tuples.
def _build(cls: type[_T], record: dict[str, Any] | None) -> _T:
    known = {f.name for f in fields(cast("Any", cls))}
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (record or {}).items()
        if name in known
    }
    return cls(**values)


def now() -> str:
    """Return the time in UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def sha256_of(text: str | bytes) -> str:
    """Return the hex SHA-256 of a text (as UTF-8) or bytes."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()
