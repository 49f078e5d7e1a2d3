"""A batch of captured Ethernet frames in a few flat arrays, without one Python object per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Index = slice | NDArray[np.int64] | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Frames:
    """n frames, in the order of the capture.

    Frames may have gaps between them in `data`: read them through `offsets` and `captured` only.
    """

    data: NDArray[np.uint8]  # the bytes that hold the captured part of every frame
    offsets: NDArray[np.int64]  # (n,) start of each frame in data
    captured: NDArray[np.uint32]  # (n,) bytes present in data
    lengths: NDArray[np.uint32]  # (n,) original length; bytes from captured to length read as zero
    times_ns: NDArray[np.uint64]  # (n,) capture timestamps, not necessarily sorted

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.offsets)

    def slice(self, start: int, stop: int) -> Frames:
        """Return frames start to stop as views of the same arrays."""
        return self._pick(np.s_[start:stop])

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Frames:
        """Return the frames chosen by indices or by a mask; `data` is shared."""
        return self._pick(which)

    def frame(self, i: int) -> bytes:
        """Return frame i, zero-padded to its original length."""
        start, size = int(self.offsets[i]), int(self.captured[i])
        return self.data[start : start + size].tobytes().ljust(int(self.lengths[i]), b"\0")

    @classmethod
    def concatenate(cls, batches: Sequence[Frames]) -> Frames:
        """Join batches one after another, copying only the bytes that their frames span."""
        if not batches:
            return cls.from_bytes([])
        spans = [_span(batch) for batch in batches]
        sizes = np.array([stop - start for start, stop in spans], np.int64)
        moves = np.cumsum(sizes) - sizes - np.array([start for start, _ in spans], np.int64)
        parts = zip(batches, spans, strict=True)
        return cls(
            np.concatenate([batch.data[start:stop] for batch, (start, stop) in parts]),
            np.concatenate([b.offsets + move for b, move in zip(batches, moves, strict=True)]),
            np.concatenate([batch.captured for batch in batches]),
            np.concatenate([batch.lengths for batch in batches]),
            np.concatenate([batch.times_ns for batch in batches]),
        )

    @classmethod
    def from_bytes(
        cls,
        frames: Sequence[bytes],
        times_ns: Sequence[int] | NDArray[np.uint64] | None = None,
        lengths: Sequence[int] | NDArray[np.uint32] | None = None,
    ) -> Frames:
        """Pack frames; without times they are all 0, without lengths what is given is all."""
        captured = np.array([len(frame) for frame in frames], np.uint32)
        ends = np.cumsum(captured, dtype=np.int64)
        sizes = captured.copy() if lengths is None else np.array(lengths, np.uint32)
        times = np.zeros(len(frames), np.uint64) if times_ns is None else times_ns
        return cls(
            np.frombuffer(b"".join(frames), np.uint8),
            ends - captured.astype(np.int64),
            np.minimum(captured, sizes),
            sizes,
            np.array(times, np.uint64),
        )

    def _pick(self, which: _Index) -> Frames:
        return Frames(
            self.data,
            self.offsets[which],
            self.captured[which],
            self.lengths[which],
            self.times_ns[which],
        )


def _span(frames: Frames) -> tuple[int, int]:
    """Return the part of `data` that the frames use."""
    if len(frames) == 0:
        return 0, 0
    return int(frames.offsets.min()), int((frames.offsets + frames.captured).max())
