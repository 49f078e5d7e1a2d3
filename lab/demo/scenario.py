"""What the demo offers, known packet by packet: calm, a flood of new sources, calm again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulator.frames import Frames
from simulator.layout import FLOW, SRC, Key, Outcome
from simulator.parsing import parse
from simulator.policy import SECOND_NS, Policy
from simulator.traffic import frames_for, generate, keys_of

CALM_RATE = 20_000.0  # packets/s
CALM_KEYS = 2_000
CALM_SHARE = 0.4  # of the keys below which High Detail is safe: what counts as calm
IPV6_SHARE = 0.1
FLOOD_EPOCHS = 3
FLOOD_RATE = 1_250_000.0  # packets/s
PACKETS_PER_SOURCE = 15  # of the flood
ACTIVE_SOURCES = 2_000  # of the flood, at any one time
PAUSE_S = 0.4  # at the end of a phase, so that its last packets are in its last epoch
LEAST_SECONDS = FLOOD_EPOCHS + 5  # two epochs before, three after
_MAPPED = np.uint64(0xFFFF0000)
_HIGH = np.uint64(32)


class Stream(Protocol):
    """Packets in the order of sending, over and over."""

    def frames(self, start: int, stop: int) -> Frames:
        """Return packets [start, stop)."""


@dataclass(frozen=True)
class Calm:
    """Frames of a capture, or made like one."""

    period: Frames  # all that is distinct; then it begins again

    def frames(self, start: int, stop: int) -> Frames:
        """Return packets [start, stop)."""
        return self.period.take(np.arange(start, stop) % len(self.period))


@dataclass(frozen=True)
class Flood:
    """Short UDP frames that differ in their source only."""

    sources: NDArray[np.uint32]  # (n,) IPv4, in network order
    known: NDArray[np.uint32]  # (m,) of the calm traffic, which goes on among them
    new: int  # distinct sources, without the known ones

    def frames(self, start: int, stop: int) -> Frames:
        """Return packets [start, stop)."""
        return frames_for(_keys(self.sources[np.arange(start, stop) % len(self.sources)]))

    def new_sources(self, packets: int) -> int:
        """Return how many of the first packets' sources were never seen before."""
        return len(np.setdiff1d(self.sources[:packets], self.known))


@dataclass(frozen=True)
class Phase:
    """A part of the run; its traffic ends a little before its last epoch does."""

    name: str
    epochs: int
    stream: Calm | Flood
    rate: float  # packets/s
    epoch_ns: int = SECOND_NS

    @property
    def packets(self) -> int:
        """Return how many packets are to be offered."""
        return max(1, int(self.rate * (self.epochs * self.epoch_ns / SECOND_NS - PAUSE_S)))


@dataclass(frozen=True)
class Scenario:
    """All phases; what does not depend on the engine."""

    phases: tuple[Phase, ...]
    calm: Calm
    flood: Flood


def scenario(calm: Frames, rate: float, seconds: int, rng: Generator) -> Scenario:
    """Plan a run of `seconds` around calm traffic of `rate` packets/s."""
    before, after = calm_seconds(seconds)
    background = rate / FLOOD_RATE
    first, last = Calm(calm), Calm(calm)
    packets = Phase("flood", FLOOD_EPOCHS, first, FLOOD_RATE).packets
    flood = _flood(rng, packets, background, calm)
    return Scenario(
        (
            Phase("calm", before, first, rate),
            Phase("flood", FLOOD_EPOCHS, flood, FLOOD_RATE),
            Phase("calm again", after, last, rate),
        ),
        first,
        flood,
    )


def calm_seconds(seconds: int) -> tuple[int, int]:
    """Return how long it is calm before and after the flood, of a run of `seconds`."""
    before = (seconds - FLOOD_EPOCHS) * 4 // 9
    return before, seconds - FLOOD_EPOCHS - before


def calm_keys(policy: Policy) -> int:
    """Return how many distinct keys an epoch of calm traffic may have."""
    return max(1, min(CALM_KEYS, int(CALM_SHARE * policy.return_below)))


def generated_calm(policy: Policy, rng: Generator) -> tuple[Frames, float]:
    """Return a second of calm traffic and its rate: Zipf senders, TCP, UDP and ICMP, some IPv6."""
    traffic = generate(
        "zipf-1.1",
        int(CALM_RATE),
        rng,
        key=FLOW,
        ipv6_share=IPV6_SHARE,
        rate=CALM_RATE,
        keys=calm_keys(policy),
    )
    return frames_for(*traffic), CALM_RATE


def calm_rate(frames: Frames, key: Key, policy: Policy, seconds: int) -> float:
    """Return the packets/s at which the capture's start is calm: few keys in every second."""
    rows = parse(frames).keys(key).view(np.dtype((np.void, key.dtype.itemsize))).ravel()
    numbers = np.unique(rows, return_inverse=True)[1]
    limit, rate = calm_keys(policy), CALM_RATE
    while rate > limit and _most_keys(numbers[: int(rate) * seconds], int(rate)) > limit:
        rate /= 2
    return max(rate, 1.0)


def _most_keys(numbers: NDArray[np.intp], window: int) -> int:
    starts = range(0, len(numbers), window)
    return max(len(np.unique(numbers[start : start + window])) for start in starts)


# New sources take turns in a sliding window of active ones; the calm senders go on among them.
def _flood(rng: Generator, packets: int, background: float, calm: Frames) -> Flood:
    ids = np.arange(packets) // PACKETS_PER_SOURCE + rng.integers(0, ACTIVE_SOURCES, packets)
    secret = int(rng.integers(0, 2**63))
    addresses = keys_of(np.arange(int(ids.max()) + 1), SRC, secret)[:, 1] >> _HIGH
    sources = addresses.astype(np.uint32)[ids]
    known = _ipv4_sources(calm)
    taken = rng.random(packets) < (background if len(known) else 0.0)
    sources[taken] = np.resize(known, int(taken.sum()))
    return Flood(sources, known, len(np.setdiff1d(sources, known)))


def _ipv4_sources(frames: Frames) -> NDArray[np.uint32]:
    """Return the sources of all IPv4 packets, in their order, in network order."""
    parsed = parse(frames)
    high, low = parsed.flows[:, 0], parsed.flows[:, 1]
    mapped = (high == 0) & (low & np.uint64(0xFFFFFFFF) == _MAPPED)
    chosen: NDArray[np.uint64] = low[mapped & (parsed.outcomes == Outcome.IP)]
    return np.right_shift(chosen, _HIGH).astype(np.uint32)


def _keys(sources: NDArray[np.uint32]) -> NDArray[np.uint64]:
    keys = np.zeros((len(sources), SRC.words), np.uint64)
    keys[:, 1] = sources.astype(np.uint64) << _HIGH | _MAPPED
    return keys
