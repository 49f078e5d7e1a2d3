"""One load by BCC as an attempt: program, source text, verdict."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier_diary.classifier import classify
from verifier_diary.instructions import instructions_sha256
from verifier_diary.model import Attempt, Layer, Program, SourceText, Stats, parse_stats
from verifier_diary.origin import Git, Kernel, Origin, Toolchain
from verifier_diary.program_types import program_type
from verifier_diary.scrub import relative

VIRTUAL = "main.c"  # what the kernel's logs call the text that BCC compiled
_INFO_BYTES = 224  # of struct bpf_prog_info, up to verified_insns
_TAG, _VERIFIED = 8, 216  # offsets in it


@dataclass(frozen=True, slots=True)
class Module:
    """What BCC compiled."""

    stem: str | None  # of the source file; None where the program was a text
    sources: tuple[SourceText, ...]
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: str | None, text: bytes, flags: Any) -> Module:
        """Describe a module by the file it comes from, if any, its text, and its ctypes flags."""
        path = relative(Path(file)) if file else VIRTUAL
        source = SourceText.of(path, text.decode("utf-8", "surrogateescape"))
        return cls(Path(file).stem if file else None, (source,), tuple(map(text_of, flags)))

    @classmethod
    def unknown(cls) -> Module:
        """Return a module that was compiled before anybody looked."""
        return cls(None, ())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What bcc_func_load brought."""

    descriptor: int  # negative: refused
    number: int  # errno
    log: bytes


def not_compiled(module: Module, printed: str) -> Attempt:
    """Return the attempt of a module that clang refused."""
    return Attempt(
        Program(function="", object=module.stem),
        accepted=False,
        layer=Layer.COMPILER,
        messages=printed,
        **_circumstances(module),
    )


def loaded(module: Module, arguments: Any, verdict: Verdict, lib: Any) -> Attempt:
    """Return the attempt of one call of bcc_func_load, from its arguments."""
    _, kind, name, code, size, *_ = arguments
    accepted = verdict.descriptor >= 0
    log = verdict.log.decode("utf-8", "replace")
    stats, tag = parse_stats(log), None
    if accepted:
        stats, tag = _known_to_kernel(verdict.descriptor, lib, stats)
    return Attempt(
        Program(function=text_of(name), object=module.stem, type=program_type(kind)),
        accepted=accepted,
        layer=None if accepted else classify(log, errno=verdict.number).layer,
        errno=None if accepted else verdict.number,
        log=log,
        log_level=max(1, arguments[7]) if log else arguments[7],
        stats=stats,
        insn_count=size // 8,
        tag=tag,
        instructions_sha256=instructions_sha256(ctypes.string_at(code, size)),
        **_circumstances(module),
    )


def log_in(printed: str) -> str:
    """Take the log out of what BCC printed: its own words stand in front and behind."""
    if printed.startswith("bpf: "):
        printed = printed.partition("\n")[2]
    return printed.partition("\nHINT: ")[0].removesuffix("\n")


def text_of(value: Any) -> str:
    """Return a name as BCC takes it: bytes, text, or its ArgString."""
    data = value if isinstance(value, bytes) else os.fsencode(str(value))
    return data.decode("utf-8", "surrogateescape")


# An accepted program has no log (BCC asks for none), but the kernel knows what it took.
def _known_to_kernel(descriptor: int, lib: Any, stats: Stats) -> tuple[Stats, str | None]:
    info = (ctypes.c_char * _INFO_BYTES)()
    size = ctypes.c_uint32(_INFO_BYTES)
    if lib.bpf_obj_get_info(descriptor, info, ctypes.byref(size)) != 0:
        return stats, None
    (verified,) = struct.unpack_from("=I", info.raw, _VERIFIED)
    tag = info.raw[_TAG : _TAG + 8].hex()
    if stats.instructions is None and size.value >= _INFO_BYTES and verified:
        stats = Stats(instructions=verified)
    return stats, tag


def _circumstances(module: Module) -> dict[str, Any]:
    return {
        "sources": module.sources,
        "origin": Origin.here(),
        "git": Git.here(),
        "kernel": Kernel.here(),
        "toolchain": Toolchain(loader="bcc", flags=module.flags),
    }
