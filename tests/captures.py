"""Build capture files byte by byte, to test the reader with what our writer never writes."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Record = tuple[int, bytes, int]  # time in ns, captured bytes, original length


def pcap(
    records: Iterable[Record],
    *,
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    link: int = 1,
    snaplen: int = 65535,
    version: int = 2,
) -> bytes:
    """Return a pcap file."""
    unit = 1 if magic == 0xA1B23C4D else 1000
    out = struct.pack(f"{order}IHHiIII", magic, version, 4, 0, 0, snaplen, link)
    for time, data, length in records:
        seconds, rest = divmod(time, 10**9)
        out += struct.pack(f"{order}IIII", seconds, rest // unit, len(data), length)
        out += (bytes(8) if magic == 0xA1B2CD34 else b"") + data
    return out


def block(kind: int, body: bytes, *, order: str = "<") -> bytes:
    """Return a pcapng block, padded."""
    body += bytes(-len(body) % 4)
    total = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + total + body + total


def section(*, order: str = "<", version: int = 1) -> bytes:
    """Return a section header block of unknown section length."""
    body = struct.pack(f"{order}IHHq", 0x1A2B3C4D, version, 0, -1)
    return block(0x0A0D0D0A, body, order=order)


def option(code: int, value: bytes, *, order: str = "<") -> bytes:
    """Return a pcapng option, padded."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(*, order: str = "<", link: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    """Return an interface description block."""
    ended = options + option(0, b"") if options else b""
    return block(1, struct.pack(f"{order}HHI", link, 0, snaplen) + ended, order=order)


def enhanced(
    stamp: int,
    data: bytes,
    length: int,
    *,
    order: str = "<",
    interface: int = 0,
    options: bytes = b"",
) -> bytes:
    """Return an enhanced packet block."""
    head = struct.pack(
        f"{order}IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(data), length
    )
    return block(6, head + data + bytes(-len(data) % 4) + options, order=order)


def obsolete(
    stamp: int, data: bytes, length: int, *, order: str = "<", interface: int = 0
) -> bytes:
    """Return an obsolete packet block, with 7 drops."""
    head = struct.pack(
        f"{order}HHIIII", interface, 7, stamp >> 32, stamp & 0xFFFFFFFF, len(data), length
    )
    return block(2, head + data, order=order)


def simple(data: bytes, length: int, *, order: str = "<") -> bytes:
    """Return a simple packet block."""
    return block(3, struct.pack(f"{order}I", length) + data, order=order)
