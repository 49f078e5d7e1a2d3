"""The streams: sequences of sender numbers, each number one sender (or one flow).

Add one: a function of (rng, packets, parameters) that returns a Draw, and a line in TRAFFIC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulator.layout import SRC, Key
from simulator.traffic.keys import keys_of

_NS = 1e9
START_NS = 1_700_000_000 * 10**9


class Draw(NamedTuple):
    """Sender numbers, and how fast the packets come where a stream is not of even pace."""

    ids: NDArray[np.int64]  # (n,), 0 and up
    pace: NDArray[np.float64] | float = 1.0  # times the stream's packet rate


class Traffic(NamedTuple):
    """n packets of a stream."""

    keys: NDArray[np.uint64]  # (n, words of the key)
    lengths: NDArray[np.uint32]  # (n,) whole frame, in bytes
    times_ns: NDArray[np.uint64]  # (n,) ascending


@dataclass(frozen=True)
class Stream:
    """A kind of traffic: what it means, how to draw it, its packets per second."""

    meaning: str
    draw: Callable[..., Draw]
    parameters: dict[str, Any] = field(default_factory=dict)
    rate: float = 500_000.0


def constant(rng: Generator, packets: int, *, keys: int = 1_000) -> Draw:
    """Let the same `keys` senders take turns."""
    return Draw(np.arange(packets, dtype=np.int64) % keys)


def distinct(rng: Generator, packets: int) -> Draw:
    """Let every packet come from a sender of its own."""
    return Draw(np.arange(packets, dtype=np.int64))


def uniform(rng: Generator, packets: int, *, keys: int = 100_000) -> Draw:
    """Draw each of `keys` senders with the same probability."""
    return Draw(rng.integers(0, keys, packets))


def zipf(
    rng: Generator, packets: int, *, keys: int = 100_000, alpha: float = 1.1, shift: float = 0.0
) -> Draw:
    """Draw rank r = 1, 2, ... of `keys` with probability ~ 1 / (r + shift)^alpha."""
    return Draw(_ranks(rng, packets, keys, alpha, shift))


def caida(
    rng: Generator,
    packets: int,
    *,
    keys: int = 150_000,
    alpha: float = 1.0,
    shift: float = 10.0,
    single: float = 0.7,
    train: float = 6.0,
    gap: float = 14.0,
) -> Draw:
    """Draw Zipf-Mandelbrot senders of packet trains, fitted to a CAIDA 2016 excerpt.

    A train is one packet with probability `single`, else geometric with mean `train`; other trains
    slip in between, `gap` packets on average (14: 40 % of packets repeat one of the last 16).
    """
    sizes = np.where(rng.random(packets) < single, 1, rng.geometric(1 / train, packets))
    ends = np.cumsum(sizes)
    trains = int(np.searchsorted(ends, packets)) + 1
    sizes, starts = sizes[:trains], (ends - sizes)[:trains]
    ids = np.repeat(_ranks(rng, trains, keys, alpha, shift), sizes)[:packets]
    first = np.repeat(starts, sizes)[:packets]
    place = first + (np.arange(packets) - first) * rng.exponential(gap, packets)
    return Draw(ids[np.argsort(place, kind="stable")])


def churn(
    rng: Generator, packets: int, *, keys: int = 20_000, births: float = 0.02, alpha: float = 0.8
) -> Draw:
    """Keep `keys` senders alive, `births` of them replaced per packet, each after the same life."""
    slots = _ranks(rng, packets, keys, alpha, 0.0)
    age = rng.permutation(keys)[slots] + np.arange(packets) * births
    return Draw(slots + keys * (age / keys).astype(np.int64))


def flash_crowd(
    rng: Generator,
    packets: int,
    *,
    keys: int = 20_000,
    crowd: int = 50_000,
    share: float = 0.7,
    start: float = 0.3,
    full: float = 0.6,
) -> Draw:
    """Let a crowd of new, lasting senders join calm Zipf traffic.

    It grows from `start` to `full` (of all packets) up to `crowd` senders and to `share` of the
    packets, on top of the others' rate.
    """
    progress = np.clip((np.arange(packets) / max(packets, 1) - start) / (full - start), 0, 1)
    arrived = np.maximum(1, progress * crowd)
    member = keys + (rng.random(packets) * arrived).astype(np.int64)
    calm = _ranks(rng, packets, keys, 1.0, 0.0)
    ids = np.where(rng.random(packets) < progress * share, member, calm)
    return Draw(ids, 1 / (1 - progress * share))


def spoofed_flood(
    rng: Generator,
    packets: int,
    *,
    keys: int = 20_000,
    share: float = 0.8,
    start: float = 0.3,
    stop: float = 0.7,
) -> Draw:
    """Mix packets of senders never seen before or again into calm Zipf traffic.

    Between `start` and `stop` (of all packets) they are `share`, on top of the others' rate.
    """
    place = np.arange(packets) / max(packets, 1)
    under_attack = (place >= start) & (place < stop)
    spoofed = under_attack & (rng.random(packets) < share)
    ids = _ranks(rng, packets, keys, 1.0, 0.0)
    ids[spoofed] = keys + np.arange(int(spoofed.sum()))
    return Draw(ids, np.where(under_attack, 1 / (1 - share), 1.0))


TRAFFIC = {
    "constant": Stream("a constant set of keys, in turn", constant),
    "distinct": Stream("every packet a new key", distinct),
    "uniform": Stream("keys of equal probability", uniform),
    "zipf-0.8": Stream("Zipf, alpha 0.8", zipf, {"alpha": 0.8}),
    "zipf-1.0": Stream("Zipf, alpha 1.0", zipf, {"alpha": 1.0}),
    "zipf-1.1": Stream("Zipf, alpha 1.1", zipf, {"alpha": 1.1}),
    "zipf-1.3": Stream("Zipf, alpha 1.3", zipf, {"alpha": 1.3}),
    "caida-2016": Stream("like 5 s of a CAIDA 2016 backbone trace", caida, rate=547_000.0),
    "caida-2016-60s": Stream(
        "like 60 s of a CAIDA 2016 backbone trace (keys interpolated)",
        caida,
        {"keys": 900_000},
        rate=547_000.0,
    ),
    "churn": Stream("keys come and go at a constant rate", churn),
    "flash-crowd": Stream("many new senders arrive, and stay", flash_crowd),
    "spoofed-flood": Stream("a flood of packets from senders that never return", spoofed_flood),
}


def generate(
    name: str,
    packets: int,
    seed: int | Generator,
    *,
    key: Key = SRC,
    ipv6_share: float = 0.0,
    rate: float | None = None,
    **parameters: Any,
) -> Traffic:
    """Draw `packets` of the stream `name`, at `rate` packets/s; the same for the same seed.

    `parameters` override the stream's own. A sender has the same address under both keys.
    """
    if name not in TRAFFIC:
        raise ValueError(f"unknown traffic {name!r}; there is {', '.join(TRAFFIC)}")
    stream = TRAFFIC[name]
    rng = np.random.default_rng(seed)
    secret = int(rng.integers(0, 2**63))
    ids, pace = stream.draw(rng, packets, **stream.parameters | parameters)
    return Traffic(
        keys_of(ids, key, secret, ipv6_share),
        _lengths(rng, packets),
        _times_ns(rng, packets, pace, rate or stream.rate),
    )


def _ranks(
    rng: Generator, packets: int, keys: int, alpha: float, shift: float
) -> NDArray[np.int64]:
    cumulated = np.cumsum((np.arange(1, keys + 1) + shift) ** -alpha)
    # side right: a draw below the first step is rank 0, and none reaches `keys`
    points = rng.random(packets) * cumulated[-1]
    ranks: NDArray[np.int64] = np.searchsorted(cumulated, points, side="right")
    return ranks


def _lengths(rng: Generator, packets: int) -> NDArray[np.uint32]:
    """Draw frame lengths: two fifths small, two fifths full, the rest anything between."""
    kind = rng.random(packets)
    between = rng.integers(80, 1515, packets)
    return np.where(kind < 0.4, 80, np.where(kind < 0.8, 1514, between)).astype(np.uint32)


def _times_ns(
    rng: Generator, packets: int, pace: NDArray[np.float64] | float, rate: float
) -> NDArray[np.uint64]:
    gaps = rng.exponential(_NS / rate, packets) / pace
    return np.uint64(START_NS) + np.cumsum(gaps).astype(np.uint64)
