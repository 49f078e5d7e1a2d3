"""The pcapng file format: sections, interfaces and three kinds of packet blocks.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html. Blocks of other types are
passed over, however long they are.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit
from simulator.pcap import (
    CORRUPT,
    ETHERNET,
    FULL,
    INTERFACE,
    LARGEST_CAPTURE,
    MORE,
    RAW,
    SECTION,
    SKIP,
    UNSUPPORTED,
    Columns,
    Step,
    capture_limit,
    read_u32,
    unsupported,
)
from simulator.trace_input import MIB, Window

SECTION_HEADER, INTERFACE_DESCRIPTION = 0x0A0D0D0A, 1
_PACKET, _SIMPLE, _ENHANCED = 2, 3, 6
_BYTE_ORDER = 0x1A2B3C4D
_TSRESOL, _TSOFFSET = 9, 14  # option codes of an interface
_LARGEST_BLOCK = LARGEST_CAPTURE + MIB  # a frame and its options
_NS = np.uint64(1_000_000_000)
_1, _34 = np.uint64(1), np.uint64(34)


class _Interface(NamedTuple):
    """One interface, as the row of int64 that the index reads."""

    link_type: int
    raw: int  # -1: a link type that is not supported
    binary: int  # timestamps count 2^-exponent s, else 10^-exponent s
    exponent: int
    offset_ns: int  # modulo 2^64
    snaplen: int
    limit: int  # captured bytes beyond it are not plausible


_LINK, _RAW, _BINARY, _EXPONENT, _OFFSET, _SNAPLEN, _LIMIT = range(7)


@njit
def to_ns(stamp: np.uint64, binary: int, exponent: int) -> np.uint64:
    """Turn a timestamp in units of 2^-exponent or 10^-exponent seconds into nanoseconds."""
    if binary:
        seconds, fraction = np.uint64(0), stamp
        if exponent < 64:
            seconds = stamp >> np.uint64(exponent)
            fraction = stamp & ((_1 << np.uint64(exponent)) - _1)
        if exponent > 34:  # 2^-34 s is below 1 ns: no precision lost, and no overflow below
            cut = exponent - 34
            fraction = fraction >> np.uint64(cut) if cut < 64 else np.uint64(0)
            exponent = 34
        return seconds * _NS + (fraction * _NS >> np.uint64(exponent))
    for _ in range(exponent, 9):
        stamp *= np.uint64(10)
    for _ in range(9, exponent):
        stamp //= np.uint64(10)
    return stamp


@njit
def _is_packet(kind: int) -> bool:
    return kind in (_ENHANCED, _SIMPLE, _PACKET)


@njit
def _least_total(kind: int) -> int:
    if kind in (_ENHANCED, _PACKET):
        return 32
    if kind == INTERFACE_DESCRIPTION:
        return 20
    return 16 if kind == _SIMPLE else 12


@njit
def _enter(data: NDArray[np.uint8], at: int, end: int, big: bool) -> tuple[int, int]:
    """Look at the block at `at`: FULL if it is a whole packet block, else what to do instead."""
    if at + 12 > end:
        return MORE, 12
    kind = read_u32(data, at, big)
    if kind == SECTION_HEADER:
        return SECTION, 0
    total = read_u32(data, at + 4, big)
    if total % 4 != 0 or total < _least_total(kind):
        return CORRUPT, 0
    if not _is_packet(kind) and kind != INTERFACE_DESCRIPTION:
        return SKIP, total
    if total > _LARGEST_BLOCK:
        return CORRUPT, 0
    if at + total > end:
        return MORE, total
    if read_u32(data, at + total - 4, big) != total:
        return CORRUPT, 0
    return (FULL if _is_packet(kind) else INTERFACE), total


@njit
def _stamp(data: NDArray[np.uint8], at: int, big: bool, about: NDArray[np.int64]) -> np.uint64:
    """Read the timestamp of an enhanced or obsolete packet block, in ns."""
    high, low = read_u32(data, at + 12, big), read_u32(data, at + 16, big)
    stamp = np.uint64(high) << np.uint64(32) | np.uint64(low)
    return to_ns(stamp, about[_BINARY], about[_EXPONENT]) + np.uint64(about[_OFFSET])


@njit
def _packet(
    data: NDArray[np.uint8],
    at: int,
    big: bool,
    interfaces: NDArray[np.int64],
    latest_ns: NDArray[np.uint64],
    columns: Columns,
    i: int,
) -> tuple[int, int]:
    """Index one packet block as frame i; FULL, or what is wrong with it."""
    kind, total = read_u32(data, at, big), read_u32(data, at + 4, big)
    interface = 0 if kind == _SIMPLE else read_u32(data, at + 8, big)
    if kind == _PACKET:  # a 16-bit number, and a 16-bit count of drops
        interface = interface >> 16 if big else interface & 0xFFFF
    if interface >= len(interfaces):
        return CORRUPT, 0
    about = interfaces[interface]
    if about[_RAW] < 0:
        return UNSUPPORTED, about[_LINK]
    if kind == _SIMPLE:
        columns.offsets[i] = at + 12
        length = read_u32(data, at + 8, big)
        captured = min(length, total - 16)  # padding may follow
        if about[_SNAPLEN] > 0:
            captured = min(captured, about[_SNAPLEN])
    else:
        columns.offsets[i] = at + 28
        captured, length = read_u32(data, at + 20, big), read_u32(data, at + 24, big)
        if captured > total - 32:
            return CORRUPT, 0
        latest_ns[0] = _stamp(data, at, big, about)
    if captured > about[_LIMIT]:
        return CORRUPT, 0
    columns.captured[i] = captured
    columns.lengths[i] = length
    columns.times_ns[i] = latest_ns[0]  # a simple packet block has no time of its own
    columns.raw[i] = about[_RAW] != 0
    return FULL, total


@njit
def _index(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    big: bool,
    interfaces: NDArray[np.int64],
    latest_ns: NDArray[np.uint64],
    columns: Columns,
    i: int,
) -> tuple[int, int, int, int]:
    """Index packet blocks as frames i and on; returns (frames, place, why it stopped, detail)."""
    while i < len(columns.offsets):
        reason, detail = _enter(data, at, end, big)
        if reason == FULL:
            reason, detail = _packet(data, at, big, interfaces, latest_ns, columns, i)
            i += reason == FULL
        elif reason == SKIP and at + detail <= end:
            reason = FULL
        if reason != FULL:
            return i, at, reason, detail
        at += detail
    return i, at, FULL, 0


class Pcapng:
    """A pcapng file: the current section's byte order and interfaces; indexes its packets."""

    def __init__(self) -> None:
        """Begin before the first section header."""
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._table = np.zeros((0, len(_Interface._fields)), np.int64)
        self._latest_ns = np.zeros(1, np.uint64)
        self._seen: dict[int, None] = {}  # link types, in order of appearance

    @property
    def link_types(self) -> tuple[int, ...]:
        """Return the link types of all interfaces described so far."""
        return tuple(self._seen)

    def index(self, window: Window, columns: Columns) -> Step:
        """Index the whole packet blocks in the window."""
        frames, stop = 0, window.start
        while True:
            frames, stop, reason, detail = _index(
                window.data,
                stop,
                window.end,
                self._order == ">",
                self._table,
                self._latest_ns,
                columns,
                frames,
            )
            if reason == INTERFACE:
                self._interface(window.data[stop : stop + detail].tobytes())
                stop += detail
            elif reason == SECTION:
                step = self._section(window.data[stop : min(stop + 28, window.end)].tobytes())
                if step.need or step.error:
                    return step._replace(frames=frames, stop=stop)
                return Step(frames, stop, skip=step.skip)
            else:
                return self._step(frames, stop, reason, detail)

    def _step(self, frames: int, stop: int, reason: int, detail: int) -> Step:
        if reason == UNSUPPORTED:
            return Step(frames, stop, error=unsupported(detail))
        if reason == CORRUPT:
            return Step(frames, stop, error=_CORRUPT_BLOCK)
        if reason == SKIP:
            return Step(frames, stop, skip=detail)
        return Step(frames, stop, need=detail if reason == MORE else 0)

    # Begins a section: says how long its header is, or why it could not be read.
    def _section(self, block: bytes) -> Step:
        if len(block) < 28:
            return Step(0, 0, need=28)
        for order in "<>":
            total, magic, major, minor = struct.unpack_from(f"{order}IIHH", block, 4)
            if magic != _BYTE_ORDER:
                continue
            if total < 28 or total % 4:
                break
            if major != 1:
                return Step(0, 0, error=(f"pcapng version {major}.{minor}", "save it as 1.0"))
            self._order = order
            self._interfaces = []
            self._rebuild()
            return Step(0, 0, skip=total)
        return Step(0, 0, error=_CORRUPT_BLOCK)

    def _interface(self, block: bytes) -> None:
        link, _, snaplen = struct.unpack_from(f"{self._order}HHI", block, 8)
        options = dict(self._options(block[16:-4]))
        resolution = (options.get(_TSRESOL) or b"\6")[0]
        offset = options.get(_TSOFFSET, b"")
        seconds = struct.unpack(f"{self._order}q", offset)[0] if len(offset) == 8 else 0
        supported = link == ETHERNET or link in RAW
        self._seen[link] = None
        self._interfaces.append(
            _Interface(
                link,
                int(link != ETHERNET) if supported else -1,
                resolution >> 7,
                resolution & 0x7F,
                (seconds * 1_000_000_000 + 2**63) % 2**64 - 2**63,
                snaplen,
                capture_limit(snaplen),
            )
        )
        self._rebuild()

    def _options(self, block: bytes) -> list[tuple[int, bytes]]:
        options, at = [], 0
        while at + 4 <= len(block):
            code, size = struct.unpack_from(f"{self._order}HH", block, at)
            if code == 0:
                break
            options.append((code, block[at + 4 : at + 4 + size]))
            at += 4 + (size + 3) // 4 * 4
        return options

    def _rebuild(self) -> None:
        rows = np.array(self._interfaces, np.int64)
        self._table = rows.reshape(-1, len(_Interface._fields))


_CORRUPT_BLOCK = (
    "corrupt block: its lengths or its interface cannot be right",
    "capture again, or cut the file before it",
)


def open_pcapng(window: Window) -> Pcapng | None:
    """Recognise a section header; None where the file is not pcapng."""
    if not window.refill(4):
        return None
    first = window.data[window.start : window.start + 4].tobytes()
    return Pcapng() if first == struct.pack("<I", SECTION_HEADER) else None
