"""Attempts and logs for the tests of the diary."""

from __future__ import annotations

from pathlib import Path

from verifier_diary.attempts import prepare
from verifier_diary.entries import Entry, Filter, entries
from verifier_diary.filing import file_all
from verifier_diary.model import Attempt, Layer, Program, SourceText, parse_stats
from verifier_diary.origin import Git, Kernel, Origin, Toolchain
from verifier_diary.store import Store

SOURCE = """\
int first(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data;
	return data[0];
}
"""
LINE = "return data[0];"
LOG = """\
0: R1=ctx() R10=fp0
; char *data = (void *)(long)ctx->data; @ first.bpf.c:3
0: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)
; return data[0]; @ first.bpf.c:4
1: (71) r0 = *(u8 *)(r1 +0)
invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)
R1 offset is outside of the packet
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
ACCEPTED_LOG = (
    "processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 3 peak_states 3 "
    "mark_read 0\n"
)


def time(minute: int) -> str:
    """Return a time; greater minutes are later."""
    return f"2026-03-02T{minute // 60:02}:{minute % 60:02}:00.000000Z"


def rejected(minute: int = 0, log: str = LOG, **changes: object) -> Attempt:
    """Return an attempt that the verifier refused."""
    return _attempt(minute, log, changes, accepted=False, layer=Layer.VERIFIER, errno=13)


def accepted(minute: int = 1, **changes: object) -> Attempt:
    """Return an attempt of the same program that was taken."""
    cured = SOURCE.replace("\treturn", "\tif (data + 1 > end)\n\t\treturn 0;\n\treturn")
    sources = (SourceText.of("bpf/first.bpf.c", cured),)
    changes = {"sources": sources, "object_sha256": "b" * 64, **changes}
    return _attempt(minute, ACCEPTED_LOG, changes, accepted=True)


def _attempt(minute: int, log: str, changes: dict[str, object], **fixed: object) -> Attempt:
    values: dict[str, object] = {
        "program": Program("first", "first", "xdp", "xdp"),
        "time": time(minute),
        "log": log,
        "stats": parse_stats(log),
        "sources": (SourceText.of("bpf/first.bpf.c", SOURCE),),
        "object_sha256": "a" * 64,
        "origin": Origin(("lab", "verify", "bpf/first.bpf.c"), "tests/t.py::test", 42, "lab"),
        "git": Git("1" * 40, False),
        "kernel": Kernel("6.18.44", "x86_64"),
        "toolchain": Toolchain("clang 14", ("-O2",), "lab", "1.1"),
    }
    return Attempt(**values | fixed | changes)  # type: ignore[arg-type]


def filed(store: Store, *attempts: Attempt) -> list[Entry]:
    """File attempts, and return all entries."""
    with store.writing():
        file_all(store, [prepare(attempt) for attempt in attempts])
    return entries(store, Filter(expected=None))


def log_file(folder: Path, name: str, text: str | bytes) -> str:
    """Write a file and return its name."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)
