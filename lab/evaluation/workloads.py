"""What is counted in an evaluation: one window of packets, from a capture or from a generator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.errors import BadInput, UsageError_
from simulator.layout import FLOW, KEYS

VARIABLE = "GLIMPSE_TRACES"
SUFFIXES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz", ".pcap.zst", ".pcapng.zst")


class Window(NamedTuple):
    """n IP packets of one epoch."""

    flows: NDArray[np.uint64]  # (n, 5)
    lengths: NDArray[np.uint32]  # (n,) whole frame, in bytes

    def keys(self, key: str) -> NDArray[np.uint64]:
        """Return the packets' keys, uint64 (n, words): a source is the start of its flow."""
        return np.ascontiguousarray(self.flows[:, : KEYS[key].words])


@dataclass(frozen=True)
class Workload:
    """A capture (`path`) or a generator's preset (`packets` of it)."""

    name: str
    path: str | None = None
    packets: int | None = None

    @property
    def seeded(self) -> bool:
        """Say whether the packets themselves depend on the seed."""
        return self.path is None

    def window(self, seed: int) -> Window:
        """Return the packets; a capture's are the same for every seed."""
        if self.path is not None:
            return _captured(self.path)
        return _generated(self.name, self.packets or 0, seed)


def preset(name: str, packets: int) -> Workload:
    """Return `packets` of a generator's preset."""
    return Workload(name, packets=packets)


def capture(path: Path) -> Workload:
    """Return a capture file as one window; raises BadInput where it is none."""
    if not path.is_file():
        raise BadInput(f"no capture {path}", try_="name a pcap or pcapng file, plain, .gz or .zst")
    name = path.name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        name = name.removesuffix(suffix)
    return Workload(f"trace-{name}", path=str(path.resolve()))


def provided() -> list[Workload]:
    """Return the captures in the directory that GLIMPSE_TRACES names, none where it is not set."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise UsageError_(
            f"{VARIABLE} names no directory: {folder}", try_="set it to a directory of captures"
        )
    return [capture(path) for path in sorted(Path(folder).iterdir()) if _is_capture(path)]


def _is_capture(path: Path) -> bool:
    return path.name.endswith(SUFFIXES)


# One task after another has the same window: reading it again would cost more than the sketch.
@lru_cache(maxsize=2)
def _captured(path: str) -> Window:
    parts = list(_parts(path))
    if not parts:
        raise BadInput(f"{path} holds no IP packets", try_="name a capture of IP traffic")
    return Window(
        np.concatenate([flows for flows, _ in parts]),
        np.concatenate([lengths for _, lengths in parts]),
    )


def _parts(path: str) -> Iterator[Window]:
    from simulator.layout import Outcome
    from simulator.parsing import parse
    from simulator.traces import TraceError, TraceReader

    try:
        for frames in TraceReader(path):
            parsed = parse(frames)
            ip = parsed.outcomes == Outcome.IP
            if ip.any():
                yield Window(parsed.flows[ip], parsed.lengths[ip])
    except TraceError as error:
        raise BadInput(error.problem, try_=error.try_) from error


@lru_cache(maxsize=2)
def _generated(name: str, packets: int, seed: int) -> Window:
    from simulator.traffic import generate

    traffic = generate(name, packets, seed, key=FLOW)
    return Window(traffic.keys, traffic.lengths)
