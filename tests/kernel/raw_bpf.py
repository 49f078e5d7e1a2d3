"""A loader that calls bpf() itself; `python raw_bpf.py COUNT` loads as many rejected programs."""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from dataclasses import dataclass

SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_LOAD = 5
SOCKET_FILTER = 1
OLD_ATTR, NEW_ATTR = 72, 152  # bytes; only the new one has room for the log's true size
_TRUE_SIZE = 140


@dataclass(frozen=True)
class Loaded:
    """What the call brought."""

    fd: int
    errno: int
    log: bytes
    true_size: int | None


def instruction(op: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> bytes:
    return struct.pack("=BBhi", op, dst | src << 4, off, imm)


EXIT = instruction(0x95)
REJECTED = EXIT  # R0 !read_ok
ACCEPTED = instruction(0xB7) + EXIT  # r0 = 0


def counting(rounds: int, *, rejected: bool = True) -> bytes:
    """Return a program that takes so many rounds to verify, and at level 2 logs each of them."""
    loop = (
        instruction(0xB7, dst=1)  # r1 = 0
        + instruction(0x07, dst=1, imm=1)  # r1 += 1
        + instruction(0xA5, dst=1, off=-2, imm=rounds)  # if r1 < rounds goto -2
    )
    return loop + (REJECTED if rejected else ACCEPTED)


def load(
    code: bytes,
    *,
    name: str = "raw",
    level: int = 1,
    log_size: int = 65536,
    attr_size: int = OLD_ATTR,
    buffer: mmap.mmap | None = None,
) -> Loaded:
    """Load; `buffer` is used as it is, else there is a new one of `log_size` bytes."""
    memory = buffer if buffer is not None else mmap.mmap(-1, max(log_size, 1))
    log = (ctypes.c_char * len(memory)).from_buffer(memory)
    insns = ctypes.create_string_buffer(code, len(code))
    license_ = ctypes.create_string_buffer(b"GPL")
    attr = ctypes.create_string_buffer(
        struct.pack(
            "=IIQQIIQII16sII",
            SOCKET_FILTER,
            len(code) // 8,
            ctypes.addressof(insns),
            ctypes.addressof(license_),
            level,
            len(memory) if level else 0,
            ctypes.addressof(log) if level else 0,
            0,
            0,
            name.encode(),
            0,
            0,
        ).ljust(attr_size, b"\0"),
        attr_size,
    )
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(SYS_BPF, PROG_LOAD, attr, attr_size)
    number = ctypes.get_errno() if fd < 0 else 0
    text = memory[: max(0, memory.find(b"\0"))] if level else b""
    true_size = (
        struct.unpack_from("=I", attr.raw, _TRUE_SIZE)[0] if attr_size > _TRUE_SIZE else None
    )
    return Loaded(fd, number, text, true_size or None)


if __name__ == "__main__":
    for turn in range(int(sys.argv[1])):
        load(REJECTED, name=f"raw{turn}")
