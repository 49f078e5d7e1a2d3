"""Many rounds: until the packets are used up, or until a mutant is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lab.fuzz import case, rounds
from lab.fuzz.frames import FrameSource, misread
from lab.fuzz.rounds import Round
from lab.replay.compare import Comparison
from lab.replay.engines import Factory

ROUND_PACKETS = 20_000
CROWDED = 0.4  # of the rounds


@dataclass
class Campaign:
    """What the rounds so far compared and found."""

    seed: int
    packets: int = 0
    rounds: int = 0
    compared: Comparison = field(default_factory=Comparison)
    scapy_compared: int = 0
    scapy_misread: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)

    @property
    def differences(self) -> int:
        """Return all differences: between the engines, and between the twin and scapy."""
        return self.compared.differences + len(self.scapy_misread)

    def add(self, found: Comparison) -> None:
        """Add one round up."""
        self.rounds += 1
        self.packets += found.packets
        self.compared.add(found)


def run(
    packets: int, seed: int, kernel: Factory, cases: Path, report: Callable[[int], None]
) -> Campaign:
    """Fuzz with at least `packets` frames; every round that differs is saved in `cases`."""
    campaign = Campaign(seed)
    rng = np.random.default_rng(seed)
    source = FrameSource(rng)
    campaign.scapy_compared, campaign.scapy_misread = misread(source.crafted)
    while campaign.packets < packets:
        drawn = draw(rng, source, min(ROUND_PACKETS, packets - campaign.packets))
        found = rounds.run(drawn, kernel)
        campaign.add(found)
        if found.differences:
            folder = cases / f"seed-{seed}-round-{campaign.rounds}"
            small = shrink(drawn, kernel)
            case.save(folder, small, rounds.run(small, kernel).examples)
            campaign.cases.append(str(folder))
        report(found.packets)
    return campaign


def draw(rng: np.random.Generator, source: FrameSource, packets: int) -> Round:
    """Draw the next round."""
    if rng.random() < CROWDED:
        settings = rounds.crowded_settings(rng)
        return rounds.random_round(rng, source.crowd(packets, settings.geometry.key), settings)
    settings = rounds.random_settings(rng)
    return rounds.random_round(rng, source.draw(packets, settings.geometry.key), settings)


def shrink(drawn: Round, kernel: Factory) -> Round:
    """Return the shortest beginning of a round that still differs, by bisection."""
    good, bad = 0, len(drawn.frames)
    while bad - good > 1:
        middle = (good + bad) // 2
        if rounds.run(_beginning(drawn, middle), kernel).differences:
            bad = middle
        else:
            good = middle
    return _beginning(drawn, bad)


def _beginning(drawn: Round, packets: int) -> Round:
    return replace(
        drawn,
        frames=drawn.frames.slice(0, packets),
        clocks=drawn.clocks[:packets],
        instances=drawn.instances[:packets],
        changes=tuple(change for change in drawn.changes if change.at <= packets),
    )
