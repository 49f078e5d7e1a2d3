"""Loads and events for the tests of the flight recorder."""

from __future__ import annotations

import struct
from typing import Any

from verifier_diary.reassembly import Load
from verifier_diary.recorder_events import CHUNK_HEAD, LOAD

EXIT = struct.pack("=BBhi", 0x95, 0, 0, 0)
LOG = "0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000) max_states_per_insn 0 "


def load(time_ms: int = 0, **changes: Any) -> Load:
    """Return a rejected load that ended so many milliseconds after zero."""
    values: dict[str, Any] = {
        "tgid": 100,
        "tid": 100,
        "uid": 0,
        "comm": "bpftool",
        "name": "prog",
        "type": "xdp",
        "instruction_count": 1,
        "time_ns": time_ms * 1_000_000,
        "duration_ns": 1000,
        "errno": 13,
        "log_level": 1,
        "log_size": 65536,
        "log": LOG,
        "code_sha256": "c" * 64,
    }
    if changes.get("log_level") == 0:
        values |= {"log_size": 0, "log": ""}
    return Load(**values | changes)


def chunk_event(
    kind: int, data: bytes, *, thread: int = 7, time: int = 1, offset: int = 0
) -> bytes:
    """Return a chunk's bytes as the kernel's side makes them."""
    head = struct.pack("=IIQQQ", kind, len(data), thread, time, offset)
    assert len(head) == CHUNK_HEAD
    return head + data + b"\0"


def load_event(
    *,
    thread: int = 7,
    time: int = 1,
    result: int = -13,
    flags: int = 0,
    insns: int = 1,
    code: int = 8,
    log_start: int = 0,
    log_length: int = 0,
    log_size: int = 65536,
    level: int = 1,
    attr_size: int = 72,
    true_size: int = 0,
    verified: int = 0,
    buffer: int = 4096,
) -> bytes:
    """Return the bytes of a load's end."""
    head = (LOAD, flags, thread, time, 5, result, code, log_start, log_length, 0, attr_size)
    attr = (6, insns, 4096, 4096, level, log_size, buffer, 0, 0, b"prog", 0, 0)
    return (
        struct.pack("=IIQQQqQQQIIII", *head, true_size, verified)
        + struct.pack("=IIQQIIQII16sII", *attr)
        + struct.pack("16s", b"bpftool")
    )
