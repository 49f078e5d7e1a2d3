"""The pcap file format: its header, an index over its records, and a writer.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html, and the "modified" pcap of
Alexey Kuznetzov's libpcap patches (24-byte record headers).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.frames import Frames
from simulator.jit import njit, signed
from simulator.trace_input import MIB, TraceError, Window

ETHERNET = 1
RAW = frozenset({12, 14, 101, 228, 229})  # DLT_RAW of several systems, LINKTYPE_RAW, _IPV4, _IPV6
SANE_CAPTURE = 256 << 10  # bytes of one frame; no snaplen makes more plausible, a larger one may
LARGEST_CAPTURE = 16 * MIB  # whatever the snaplen says: a record must fit in memory
SWAPPABLE_MAGICS = {
    # magic: (bytes of a record header, ns per unit of the fraction of a second)
    0xA1B2C3D4: (16, 1000),
    0xA1B23C4D: (16, 1),
    0xA1B2CD34: (24, 1000),
}
HEADER_BYTES = 24
FULL, MORE, CORRUPT, SKIP, SECTION, INTERFACE, UNSUPPORTED = range(7)
_NS = 1_000_000_000


class Columns(NamedTuple):
    """Room for the index of one batch, filled by a format."""

    offsets: NDArray[np.int64]
    captured: NDArray[np.uint32]
    lengths: NDArray[np.uint32]
    times_ns: NDArray[np.uint64]
    raw: NDArray[np.bool_]  # the frame has no Ethernet header

    @classmethod
    def empty(cls, size: int) -> Columns:
        """Return uninitialised room for `size` frames."""
        return cls(
            np.empty(size, np.int64),
            np.empty(size, np.uint32),
            np.empty(size, np.uint32),
            np.empty(size, np.uint64),
            np.empty(size, np.bool_),
        )

    def first(self, count: int) -> Columns:
        """Return the columns of the first `count` frames."""
        return Columns(
            self.offsets[:count],
            self.captured[:count],
            self.lengths[:count],
            self.times_ns[:count],
            self.raw[:count],
        )


class Step(NamedTuple):
    """How far a format came in a window: frames indexed, and why it stopped."""

    frames: int
    stop: int  # place in the window's data: what lies before is done with
    need: int = 0  # bytes that must be in the window to go on; 0: it stopped for another reason
    skip: int = 0  # bytes to pass over before going on
    error: tuple[str, str] | None = None  # what is wrong with the record at `stop`, what to do


def capture_limit(snaplen: int) -> int:
    """Return the most bytes that a frame may plausibly have captured; a snaplen of 0 says none."""
    return max(SANE_CAPTURE, min(snaplen, LARGEST_CAPTURE))


def unsupported(link_type: int) -> tuple[str, str]:
    """Say that a link type is none of ours, and what to do."""
    return (
        f"unsupported link type {link_type}",
        "capture on an Ethernet or raw-IP interface (link types 1, 12, 14, 101, 228, 229)",
    )


@njit
def read_u32(data: NDArray[np.uint8], at: int, big: bool) -> int:
    """Read 4 bytes in the byte order of the file."""
    a, b = signed(data[at]), signed(data[at + 1])
    c, d = signed(data[at + 2]), signed(data[at + 3])
    if big:
        a, b, c, d = d, c, b, a
    return a | b << 8 | c << 16 | d << 24


@njit
def _index(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    big: bool,
    header: int,
    unit_ns: int,
    limit: int,
    columns: Columns,
) -> tuple[int, int, int, int]:
    """Index whole records; returns (frames, place, reason to stop, bytes needed there)."""
    for i in range(len(columns.offsets)):
        if at + header > end:
            return i, at, MORE, header
        size = read_u32(data, at + 8, big)
        if size > limit:
            return i, at, CORRUPT, size
        if at + header + size > end:
            return i, at, MORE, header + size
        columns.offsets[i] = at + header
        columns.captured[i] = size
        columns.lengths[i] = read_u32(data, at + 12, big)
        since = read_u32(data, at, big) * _NS + read_u32(data, at + 4, big) * unit_ns
        columns.times_ns[i] = since
        at += header + size
    return len(columns.offsets), at, FULL, 0


class Pcap:
    """A pcap file whose header was read; indexes its records."""

    def __init__(self, order: str, magic: int, header: bytes) -> None:
        """Read the file header after its magic number; raises TraceError without a place."""
        self._big = order == ">"
        self._record_bytes, self._unit_ns = SWAPPABLE_MAGICS[magic]
        major, minor, _, _, snaplen, link = struct.unpack(f"{order}HHiIII", header)
        self.link_type = link & 0xFFFF  # above: the length of a frame check sequence
        self._limit = capture_limit(snaplen)
        if major != 2:
            raise TraceError(f"pcap version {major}.{minor}", "save it as pcap 2.4 or pcapng")
        if self.link_type != ETHERNET and self.link_type not in RAW:
            raise TraceError(*unsupported(self.link_type))

    @property
    def link_types(self) -> tuple[int, ...]:
        """Return the one link type of the file."""
        return (self.link_type,)

    def index(self, window: Window, columns: Columns) -> Step:
        """Index the whole records in the window."""
        frames, stop, reason, need = _index(
            window.data,
            window.start,
            window.end,
            self._big,
            self._record_bytes,
            self._unit_ns,
            self._limit,
            columns,
        )
        columns.raw[:frames] = self.link_type != ETHERNET
        if reason == CORRUPT:
            what = f"corrupt record: it claims {need:,} captured bytes, at most {self._limit:,} fit"
            return Step(frames, stop, error=(what, "capture again, or cut the file before it"))
        return Step(frames, stop, need=need)


def open_pcap(window: Window) -> Pcap | None:
    """Read the file header; None where the file is not pcap."""
    if not window.refill(4):
        return None
    first = window.data[window.start : window.start + 4].tobytes()
    for order in "<>":
        (magic,) = struct.unpack(f"{order}I", first)
        if magic in SWAPPABLE_MAGICS:
            if window.end - window.start < HEADER_BYTES:
                raise TraceError("cut short in the file header", "get the whole file again")
            header = window.data[window.start + 4 : window.start + HEADER_BYTES].tobytes()
            window.advance(window.start + HEADER_BYTES)
            return Pcap(order, magic, header)
    return None


def write_pcap(file: BinaryIO, batches: Frames | Iterable[Frames]) -> None:
    """Write frames, captured bytes only, as a pcap file with nanosecond timestamps."""
    file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, SANE_CAPTURE, ETHERNET))
    for frames in [batches] if isinstance(batches, Frames) else batches:
        sizes = frames.captured.astype(np.int64) + 16
        records = np.empty(int(sizes.sum()), np.uint8)
        heads = np.empty((len(frames), 4), "<u4")
        heads[:, 0] = frames.times_ns // np.uint64(_NS)
        heads[:, 1] = frames.times_ns % np.uint64(_NS)
        heads[:, 2] = frames.captured
        heads[:, 3] = frames.lengths
        _fill(records, heads.view(np.uint8), frames.data, frames.offsets)
        file.write(records.data)


@njit
def _fill(
    records: NDArray[np.uint8],
    heads: NDArray[np.uint8],
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
) -> None:
    """Write each record's head (16 bytes) and captured bytes one after another."""
    at = 0
    for i in range(len(offsets)):
        for j in range(16):
            records[at + j] = heads[i, j]
        size = read_u32(heads[i], 8, False)
        for j in range(size):
            records[at + 16 + j] = data[offsets[i] + j]
        at += 16 + size
