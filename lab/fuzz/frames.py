"""The frames of a fuzzing run: crafted, mutated, random, and skewed valid traffic, shuffled."""

from __future__ import annotations

import numpy as np

from simulator.frames import Frames
from simulator.layout import Key, Outcome
from simulator.packets import Crafted, catalogue, frames_of, mutate, random_frames
from simulator.parsing import parse
from simulator.traffic import frames_for, generate

# Of each round; the rest is valid traffic, whose repeated keys fill buckets and evict.
MUTATED, RANDOM, CRAFTED = 0.5, 0.1, 0.1
STREAMS = ("zipf-1.1", "uniform", "churn", "distinct")


class FrameSource:
    """Draws the frames of each round from one catalogue of crafted packets."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Craft the catalogue."""
        self._rng = rng
        self.crafted = catalogue(rng)
        self._templates = frames_of(self.crafted)

    def draw(self, count: int, key: Key) -> Frames:
        """Return `count` shuffled frames."""
        rng = self._rng
        mutated, noise, crafted = (int(count * share) for share in (MUTATED, RANDOM, CRAFTED))
        stream = str(rng.choice(STREAMS))
        rest = count - mutated - noise - crafted
        traffic = generate(stream, rest, rng, key=key, ipv6_share=0.3)
        frames = Frames.concatenate(
            [
                mutate(self._templates, mutated, rng),
                random_frames(noise, rng),
                self._templates.take(rng.integers(0, len(self._templates), crafted)),
                frames_for(*traffic),
            ]
        )
        return frames.take(rng.permutation(count))

    def crowd(self, count: int, key: Key) -> Frames:
        """Return `count` valid frames of so few keys that light counts get large."""
        keys = int(self._rng.integers(10, 120))
        return frames_for(*generate("zipf-0.8", count, self._rng, key=key, keys=keys))


def misread(crafted: list[Crafted]) -> tuple[int, list[str]]:
    """Compare the twin with scapy's own dissection: (frames compared, names of those misread).

    Twins can be wrong together; scapy shares no code and no author with them.
    """
    parsed = parse(frames_of(crafted))
    compared, wrong = 0, []
    for item, outcome, flow in zip(crafted, parsed.outcomes, parsed.flows, strict=True):
        if item.expected is None:
            continue
        compared += 1
        same = item.expected.outcome == outcome
        if same and outcome == Outcome.IP:
            same = item.expected.flow_key == flow.tobytes()
        if not same:
            wrong.append(item.name)
    return compared, wrong
