"""A program of the key-stream harness as a lane: emptied, warmed up, fed on every CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.bench.case import Case
from lab.bench.feed import Fed, feed
from lab.bench.lane import Facts
from lab.bench.pinned import on_each
from lab.bench.structures import Structure
from lab.libbpf.program import Program

# A short pass is repeated, emptied in between, until this many packets were measured.
LEAST_PACKETS = 1 << 15


@dataclass
class KernelLane:
    """One subject of one case."""

    case: Case
    program: Program
    structures: Sequence[Structure]
    facts: Facts
    burst: int | None = None  # keys each time the program is run; None: as many as are asked for

    def measure(self) -> float:
        """Return ns per packet, the mean of the CPUs."""
        packets = self.case.layout.packets
        rounds = -(-LEAST_PACKETS // packets)
        return sum(self._round() for _ in range(rounds)) / rounds

    def prepare(self) -> None:
        """Empty it; unless every key is to be new, count the population and the stream once."""
        for structure in self.structures:
            structure.clear()
        if not self.case.stream.fresh:
            self._feed(warm_up=True)

    def run(self) -> list[Fed]:
        """Run the stream once; returns what each CPU did."""
        return self._feed(warm_up=False)

    def _round(self) -> float:
        self.prepare()
        fed = self.run()
        return sum(one.ns / one.packets for one in fed) / len(fed)

    def _feed(self, *, warm_up: bool) -> list[Fed]:
        shares = self.case.layout.shares

        def work(i: int) -> Fed:
            begin = shares[i].first if warm_up else shares[i].start
            return feed(self.program, begin, shares[i].stop, self.burst)

        return on_each(self.case.setup.cpus, work)
