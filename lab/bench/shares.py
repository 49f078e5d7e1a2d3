"""How a stream is divided between CPUs, and where its keys lie in the kernel's key map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.bench.streams import KeyStream
from simulator.hashing import hash_many
from simulator.layout import HASH_WORDS, Hash

U64 = NDArray[np.uint64]
_SECRET = np.zeros(HASH_WORDS, np.uint64)  # not the sketch's own hash


class Share(NamedTuple):
    """One CPU's part: [first, start) is its population, [start, stop) its stream."""

    first: int
    start: int
    stop: int

    @property
    def packets(self) -> int:
        """Return the packets of one pass."""
        return self.stop - self.start


class Layout(NamedTuple):
    """All keys, (n, words), and each CPU's share of them."""

    keys: U64
    shares: tuple[Share, ...]

    @property
    def packets(self) -> int:
        """Return the packets of one pass on all CPUs."""
        return sum(share.packets for share in self.shares)


def lay_out(stream: KeyStream, cpus: int) -> Layout:
    """Give each key to one CPU, as RSS does, and all CPUs as many packets as the poorest has.

    So all are busy until the end, and a structure that they share is contended all the time.
    """
    of_packet = _cpu_of(stream.keys, cpus)
    of_key = _cpu_of(stream.population, cpus)
    packets = int(np.bincount(of_packet, minlength=cpus).min())
    parts: list[U64] = []
    shares: list[Share] = []
    at = 0
    for cpu in range(cpus):
        population = stream.population[of_key == cpu]
        mine = stream.keys[of_packet == cpu][:packets]
        parts += [population, mine]
        start = at + len(population)
        shares.append(Share(at, start, start + len(mine)))
        at = start + len(mine)
    return Layout(np.concatenate(parts), tuple(shares))


def _cpu_of(keys: U64, cpus: int) -> U64:
    if cpus == 1:
        return np.zeros(len(keys), np.uint64)
    return hash_many(Hash.MURMUR3, keys, _SECRET)[:, 0] % np.uint64(cpus)
