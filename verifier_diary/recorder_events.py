"""What flight_recorder.c hands over: the twin of its structs, and its measures."""

from __future__ import annotations

import struct
from dataclasses import dataclass

CHUNK = 256 * 1024  # bytes that one read and one event may bring
CODE_CHUNKS = 4  # of a program's instructions: 131,072 of them
LOG_CHUNKS = 64  # of a log: 16 MiB; of a longer one the tail
MEASURED_CHUNKS = 1024  # 256 MiB: to find the end of a log whose length nobody tells
RING_BYTES = 32 * 1024 * 1024  # a power of two, twice the longest log

PROCESS_BYTES = 32 * 1024  # of a process's arguments, and of its environment

CODE, LOG, LOAD, ARGUMENTS, ENVIRONMENT = 1, 2, 3, 4, 5
_CHUNKS = (CODE, LOG, ARGUMENTS, ENVIRONMENT)
_DIRTY, _UNREADABLE, _DROPPED = 1, 2, 4

_KIND = struct.Struct("=I")
_CHUNK_HEAD = struct.Struct("=IIQQQ")
_LOAD_HEAD = struct.Struct("=IIQQQqQQQIIII")
_ATTR = struct.Struct("=IIQQIIQII16sII")
_COMM = struct.Struct("16s")
CHUNK_HEAD = _CHUNK_HEAD.size
LOAD_BYTES = _LOAD_HEAD.size + _ATTR.size + _COMM.size

COVERS_TRUE_SIZE = 144  # bytes of attributes from which on the kernel can tell the log's size


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of what belongs to one load."""

    kind: int  # CODE, LOG, ARGUMENTS or ENVIRONMENT
    thread: int
    time_ns: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """One BPF_PROG_LOAD that ended; its chunks came before."""

    thread: int  # tgid << 32 | tid
    time_ns: int  # CLOCK_MONOTONIC
    duration_ns: int
    result: int  # a descriptor, or -errno
    code_length: int  # bytes
    log_start: int  # bytes left out before the first chunk
    log_length: int  # bytes in the loader's buffer
    uid: int
    attr_size: int
    log_true_size: int  # bytes with the NUL; 0: not known
    verified: int  # instructions that the verifier processed of an accepted program; 0: not known
    program_type: int
    instruction_count: int
    log_level: int
    log_size: int
    log_buffer: int  # address
    name: str
    comm: str
    was_dirty: bool  # the log buffer held something before the load
    unreadable: bool  # a part of the loader's memory could not be read
    dropped: bool  # the ring was full: a chunk is missing


def parse(data: bytes) -> Chunk | Ended:
    """Read one event of the ring; raises ValueError for what is none."""
    kind = _KIND.unpack_from(data)[0] if len(data) >= _KIND.size else 0
    if kind in _CHUNKS and len(data) >= CHUNK_HEAD:
        _, length, thread, time_ns, offset = _CHUNK_HEAD.unpack_from(data)
        return Chunk(kind, thread, time_ns, offset, data[CHUNK_HEAD : CHUNK_HEAD + length])
    if kind == LOAD and len(data) >= LOAD_BYTES:
        return _ended(data)
    raise ValueError(f"not an event of the flight recorder: kind {kind}, {len(data)} bytes")


def _ended(data: bytes) -> Ended:
    (
        _,
        flags,
        thread,
        time_ns,
        duration,
        result,
        code,
        start,
        length,
        uid,
        attr_size,
        true_size,
        verified,
    ) = _LOAD_HEAD.unpack_from(data)
    (kind, count, _, _, level, log_size, log_buffer, _, _, name, _, _) = _ATTR.unpack_from(
        data, _LOAD_HEAD.size
    )
    (comm,) = _COMM.unpack_from(data, _LOAD_HEAD.size + _ATTR.size)
    return Ended(
        thread=thread,
        time_ns=time_ns,
        duration_ns=duration,
        result=result,
        code_length=code,
        log_start=start,
        log_length=length,
        uid=uid,
        attr_size=attr_size,
        log_true_size=true_size,
        verified=verified,
        program_type=kind,
        instruction_count=count,
        log_level=level,
        log_size=log_size,
        log_buffer=log_buffer,
        name=_text(name),
        comm=_text(comm),
        was_dirty=bool(flags & _DIRTY),
        unreadable=bool(flags & _UNREADABLE),
        dropped=bool(flags & _DROPPED),
    )


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
