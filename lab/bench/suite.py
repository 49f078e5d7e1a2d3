"""A suite: subjects that are measured the same way and compared with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.bench.lane import Lane
from lab.bench.setup import Setup
from lab.bench.streams import TRACE, KeyStream

PACKETS = 1 << 18  # of one pass of a generated stream
AGAIN = " again"  # a no-op as a subject is measured twice: the difference is the harness's own


@dataclass(frozen=True)
class Subject:
    """What is measured; `control` is the no-op whose cost is subtracted."""

    name: str
    meaning: str
    control: str
    kind: str = "update"


@dataclass(frozen=True)
class Suite:
    """The subjects by name, which of them the others are compared with, and how to load them."""

    name: str
    subjects: Mapping[str, Subject]
    reference: str
    open: Callable[[Setup, KeyStream, Sequence[str], ExitStack], dict[str, Lane]]

    @property
    def ratio(self) -> str:
        """Return the name of the column that compares."""
        return f"ratio_to_{self.reference}"

    def lanes(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return what has to be measured for these subjects: their no-ops and the reference too."""
        chosen = [self.subjects[name] for name in (*names, self.reference)]
        controls = [subject.control for subject in chosen]
        again = [subject.name + AGAIN for subject in chosen if subject.name == subject.control]
        return tuple(dict.fromkeys((*controls, *(s.name for s in chosen), *again)))


@dataclass(frozen=True)
class BenchSettings:
    """What a run is asked to do."""

    suite: Suite
    setup: Setup
    streams: tuple[str, ...]
    keys: tuple[int, ...]
    subjects: tuple[str, ...]
    repeats: int
    traces: Mapping[str, Path]
    packets: int = PACKETS

    def cases(self) -> list[tuple[str, int | None]]:
        """Return (stream, number of keys) of every case; a capture has the keys that it has."""
        generated = [name for name in self.streams if not name.startswith(TRACE)]
        captures = [name for name in self.streams if name.startswith(TRACE)]
        drawn: list[tuple[str, int | None]] = [(name, n) for n in self.keys for name in generated]
        return drawn + [(name, None) for name in captures]

    @property
    def measurements(self) -> int:
        """Return how often a lane is measured in all."""
        return len(self.cases()) * len(self.suite.lanes(self.subjects)) * self.repeats
