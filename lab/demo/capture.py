"""A capture as calm traffic: as much of it as the demo sends, and fits the link."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import BadInput
from lab.testbed.player import sendable
from simulator.frames import Frames
from simulator.traces import TraceError, TraceReader

MOST_BYTES = 64 << 20  # of frames, at their original lengths


@dataclass(frozen=True)
class Capture:
    """The first frames of a file that fit the MTU."""

    frames: Frames
    skipped: int  # frames among them that do not fit


def load(path: str, most: int, mtu: int) -> Capture:
    """Read at most `most` frames; raises BadInput for a file that cannot be used."""
    batches, frames, skipped, size = [], 0, 0, 0
    try:
        for batch in TraceReader(path):
            fits = sendable(batch, mtu)
            skipped += int((~fits).sum())
            # Copied, because the reader uses its memory again.
            batches.append(Frames.concatenate([batch.take(fits)]))
            frames += len(batches[-1])
            size += int(batches[-1].lengths.sum())
            if frames >= most or size >= MOST_BYTES:
                break
    except TraceError as error:
        raise BadInput(error.problem, try_=error.try_) from error
    if not frames:
        raise BadInput(
            f"{path}: none of its frames fits an MTU of {mtu}",
            try_="capture with segmentation offload off (ethtool -K IFACE gso off gro off)",
        )
    return Capture(Frames.concatenate(batches).slice(0, most), skipped)
