"""A number of a paper, and what became of it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A number or a bound that a paper states, and how it is measured here."""

    sketch: str
    paper: str
    place: str
    setting: str
    metric: str
    value: float
    low: float  # what counts as reproduced: low <= ours <= high
    high: float
    measure: Callable[[int], float]  # of a seed
    source: str  # where `value` was read


@dataclass(frozen=True)
class Reproduction:
    """A published number beside the one measured here."""

    published: Published
    ours: float
    reproduced: bool
