"""Read captures of any size as batches of frames: pcap and pcapng, plain, gzip or zstd.

    for frames in read("capture.pcapng.gz"):
        parsed = parse(frames)

Raw-IP captures get a made-up Ethernet header, counted in their lengths. The original length of a
truncated packet counts. Every fault of a file is a TraceError; the packets before it come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.frames import Frames
from simulator.jit import njit
from simulator.pcap import Columns, Pcap, Step, open_pcap, write_pcap
from simulator.pcapng import Pcapng, open_pcapng
from simulator.trace_input import HEADROOM, TraceError, Window, open_window

__all__ = ["LONGEST_FRAME", "TraceError", "TraceInfo", "TraceReader", "read", "write_pcap"]

LONGEST_FRAME = 65_535 + 14 + 4  # an IP packet of 64 KiB, Ethernet, one VLAN tag
BATCH_PACKETS = 1 << 16
_ETHERNET_BYTES = 14
assert _ETHERNET_BYTES <= HEADROOM


@dataclass
class TraceInfo:
    """What a reader has met so far; complete when the iteration has ended."""

    format: str = ""  # pcap or pcapng
    link_types: tuple[int, ...] = ()
    packets: int = 0
    bytes: int = 0  # of original length, after clipping
    clipped: int = 0  # frames longer than LONGEST_FRAME, cut to it
    first_ns: int | None = None  # earliest and latest timestamp
    last_ns: int | None = None

    def add(self, frames: Frames) -> None:
        """Count a batch."""
        self.packets += len(frames)
        self.bytes += int(frames.lengths.sum(dtype=np.uint64))
        first, last = int(frames.times_ns.min()), int(frames.times_ns.max())
        self.first_ns = first if self.first_ns is None else min(self.first_ns, first)
        self.last_ns = last if self.last_ns is None else max(self.last_ns, last)


@dataclass
class TraceReader:
    """Iterate over a capture in batches of at most `batch_packets` frames, each some MiB at most.

    The file is opened when the iteration begins, and read once, from front to end.
    """

    path: str | PathLike[str]
    batch_packets: int = BATCH_PACKETS
    info: TraceInfo = field(default_factory=TraceInfo, init=False)

    def __iter__(self) -> Iterator[Frames]:
        """Yield the batches; TraceError where the file cannot be read on."""
        self.info = TraceInfo()
        path = Path(self.path)
        with open_window(path) as window:
            yield from self._batches(path, window)
        if self.info.packets == 0:
            raise TraceError(f"{path}: holds no packets", "capture again, or name another file")

    def _batches(self, path: Path, window: Window) -> Iterator[Frames]:
        file = _recognise(path, window)
        self.info.format = type(file).__name__.lower()
        more = True
        while more:
            columns = Columns.empty(self.batch_packets)
            step = file.index(window, columns)
            self.info.link_types = file.link_types
            if step.frames:
                frames = self._frames(window.data, columns, step.frames)
                self.info.add(frames)
                yield frames
            window.advance(step.stop)
            if step.error:
                what, try_ = step.error
                raise TraceError(f"{self._place(path, window)}: {what}", try_)
            more = self._read_on(path, window, step)

    # Brings in what the step asked for; False at the end of the file.
    def _read_on(self, path: Path, window: Window, step: Step) -> bool:
        found = window.skip(step.skip) if step.skip else window.refill(step.need)
        if found:
            return True
        if window.error:
            raise self._with_count(window.error)
        if window.start < window.end or step.skip:
            what = f"{self._place(path, window)}: the file ends in the middle of a record"
            raise self._with_count(TraceError(what, "get the whole file again"))
        return False

    def _place(self, path: Path, window: Window) -> str:
        return f"{path}: packet {self.info.packets + 1:,}, byte {window.position:,}"

    def _with_count(self, error: TraceError) -> TraceError:
        return TraceError(
            f"{error.problem} (whole packets before: {self.info.packets:,})", error.try_
        )

    def _frames(self, data: NDArray[np.uint8], columns: Columns, count: int) -> Frames:
        new = columns.first(count)
        lengths = new.lengths.astype(np.uint64)
        if new.raw.any():
            _put_ethernet_headers(data, new.offsets, new.captured, new.raw)
            lengths += new.raw * np.uint64(_ETHERNET_BYTES)
        self.info.clipped += int((lengths > LONGEST_FRAME).sum())
        whole = np.minimum(lengths, LONGEST_FRAME).astype(np.uint32)
        return Frames(data, new.offsets, np.minimum(new.captured, whole), whole, new.times_ns)


def read(path: str | PathLike[str], *, batch_packets: int = BATCH_PACKETS) -> Iterator[Frames]:
    """Yield the frames of a capture in batches of at most `batch_packets`."""
    return iter(TraceReader(path, batch_packets))


def _recognise(path: Path, window: Window) -> Pcap | Pcapng:
    try:
        file = open_pcap(window) or open_pcapng(window)
    except TraceError as error:
        raise TraceError(f"{path}: {error.problem}", error.try_) from None
    if file is not None:
        return file
    if window.error:
        raise window.error
    if window.start == window.end:
        raise TraceError(f"{path}: the file is empty", "capture again, or name another file")
    first = window.data[window.start : min(window.start + 4, window.end)].tobytes().hex(" ")
    raise TraceError(
        f"{path}: neither pcap nor pcapng (it begins with {first})",
        "give a capture as tcpdump, dumpcap or Wireshark save it, plain or in gzip or zstd",
    )


@njit
def _put_ethernet_headers(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    captured: NDArray[np.uint32],
    raw: NDArray[np.bool_],
) -> None:
    """Write an Ethernet header in front of every raw frame, over its record's header.

    That header has been read already. Only a simple packet block's is shorter, by 2 bytes; they
    are the end of the block before, whose length was compared already.
    """
    for i in range(len(offsets)):
        if not raw[i]:
            continue
        version = data[offsets[i]] >> 4 if captured[i] > 0 else 0
        offsets[i] -= _ETHERNET_BYTES
        captured[i] += np.uint32(_ETHERNET_BYTES)
        for j in range(_ETHERNET_BYTES - 2):
            data[offsets[i] + j] = 0
        kind = 0x0800 if version == 4 else (0x86DD if version == 6 else 0)
        data[offsets[i] + 12] = kind >> 8
        data[offsets[i] + 13] = kind & 0xFF
