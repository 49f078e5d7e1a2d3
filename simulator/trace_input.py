"""The bytes of a capture file: plain, gzip or zstd, told apart by what they begin with."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 4 << 20  # read at once
HEADROOM = 16  # bytes in front of a window: a made-up Ethernet header must fit there
MIB = 1 << 20


class TraceError(ValueError):
    """A capture that cannot be read: what is wrong and where (`problem`), what to do (`try_`)."""

    def __init__(self, problem: str, try_: str) -> None:
        """Make the message of both parts."""
        super().__init__(f"{problem}; {try_}")
        self.problem = problem
        self.try_ = try_


class Source(Protocol):
    """What a window reads from."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer as far as one read can; 0 at the end."""


class Inflater(Protocol):
    """What zlib, ISA-L and zstandard agree on."""

    @property
    def eof(self) -> bool:
        """Tell whether the end of the compressed stream was reached."""

    @property
    def unused_data(self) -> bytes:
        """Return what follows the end."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Return input that awaits the next call."""


@dataclass(frozen=True)
class Codec:
    """A compression: how to start a stream, and how much of it to feed at once."""

    name: str
    magic: bytes
    start: Callable[[], tuple[Inflater, Callable[[bytes], bytes], type[Exception]]]
    chunk: int  # compressed bytes


def _start_gzip() -> tuple[Inflater, Callable[[bytes], bytes], type[Exception]]:
    with contextlib.suppress(ImportError):  # twice as fast, but no wheel on some machines
        from isal import isal_zlib

        fast = isal_zlib.decompressobj(31)
        error: type[Exception] = isal_zlib.error  # type: ignore[assignment] # wrong in its stub
        return fast, lambda data: fast.decompress(data, MIB), error
    plain = zlib.decompressobj(31)
    return plain, lambda data: plain.decompress(data, MIB), zlib.error


def _start_zstd() -> tuple[Inflater, Callable[[bytes], bytes], type[Exception]]:
    import zstandard

    stream = zstandard.ZstdDecompressor().decompressobj()
    return stream, stream.decompress, zstandard.ZstdError


CODECS = (
    Codec("gzip", b"\x1f\x8b", _start_gzip, 64 << 10),
    # zstandard cannot bound its output: 4 KiB of hostile input unfold into 128 MiB at most.
    Codec("zstd", b"\x28\xb5\x2f\xfd", _start_zstd, 4 << 10),
)


class _Inflated:
    """A source of decompressed bytes; ends with TraceError where the stream is cut or corrupt."""

    def __init__(self, path: Path, file: BinaryIO, first: bytes, codec: Codec) -> None:
        self._chunks = _inflate(path, file, first, codec)
        self._left = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _inflate(path: Path, file: BinaryIO, first: bytes, codec: Codec) -> Iterator[bytes]:
    stream, decompress, error = codec.start()
    pending, inside = first, True
    while pending := pending or file.read(codec.chunk):
        if not inside:
            pending = pending.lstrip(b"\0")  # padding between members, as gzip allows it
            if not pending:
                continue
            stream, decompress, error = codec.start()
            inside = True
        try:
            yield decompress(pending)
        except error as e:
            raise TraceError(
                f"{path}: the {codec.name} stream is corrupt ({e})", "get the file again"
            ) from None
        inside = not stream.eof
        pending = stream.unconsumed_tail if inside else stream.unused_data
    if inside:
        raise TraceError(
            f"{path}: the {codec.name} stream is cut short", "get the whole file again"
        )


class _Plain:
    """A source of the file's own bytes, the first few of which were read already."""

    def __init__(self, file: BinaryIO, first: bytes) -> None:
        self._file = file
        self._first = first

    def readinto(self, buffer: memoryview, /) -> int | None:
        if self._first:
            size = min(len(buffer), len(self._first))
            buffer[:size] = self._first[:size]
            self._first = self._first[size:]
            return size
        return self._file.readinto(buffer)  # type: ignore[attr-defined,no-any-return]


class Window:
    """The part of the decompressed file that is in memory: data[start:end].

    Every refill makes a new array, so frames may keep the old one.
    """

    def __init__(self, source: Source) -> None:
        """Begin with nothing read."""
        self.data: NDArray[np.uint8] = np.empty(HEADROOM, np.uint8)
        self.start = self.end = HEADROOM
        self.position = 0  # of data[start] in the decompressed file
        self.error: TraceError | None = None  # why the source ended before its time
        self._source = source

    def advance(self, to: int) -> None:
        """Drop what lies before data[to]."""
        self.position += to - self.start
        self.start = to

    def refill(self, need: int) -> bool:
        """Read on until data[start:end] holds `need` bytes; False where the file ends before."""
        if need <= self.end - self.start:
            return True
        left = self.end - self.start
        data = np.empty(HEADROOM + max(BLOCK_BYTES, need), np.uint8)
        data[HEADROOM : HEADROOM + left] = self.data[self.start : self.end]
        self.data, self.start, self.end = data, HEADROOM, HEADROOM + left
        while self.end < len(data) and (size := self._read(data[self.end :])):
            self.end += size
        return self.end - self.start >= need

    def skip(self, size: int) -> bool:
        """Pass over `size` bytes; False where the file ends before."""
        while size > self.end - self.start:
            size -= self.end - self.start
            self.advance(self.end)
            if not self.refill(1):
                return False
        self.advance(self.start + size)
        return True

    def _read(self, room: NDArray[np.uint8]) -> int:
        if self.error is not None:
            return 0
        try:
            return self._source.readinto(room.data) or 0
        except TraceError as error:
            self.error = error  # what came before it is good, and is handed out first
            return 0


@contextlib.contextmanager
def open_window(path: Path) -> Iterator[Window]:
    """Open a capture file, decompressing where its first bytes say so."""
    try:
        file = path.open("rb", buffering=0)
    except OSError as e:
        raise _cannot_open(path, e) from None
    with file:
        try:
            first = file.read(4)
        except OSError as e:
            raise _cannot_open(path, e) from None
        for codec in CODECS:
            if first.startswith(codec.magic):
                yield Window(_Inflated(path, file, first, codec))
                return
        yield Window(_Plain(file, first))


def _cannot_open(path: Path, error: OSError) -> TraceError:
    if isinstance(error, FileNotFoundError):
        return TraceError(f"{path}: no such file", "check the path")
    return TraceError(f"{path}: cannot be read ({error.strerror})", "check the path and its rights")
