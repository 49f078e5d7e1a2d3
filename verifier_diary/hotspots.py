"""The source lines that a program's verification is spent on: where to cut when it is too much."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from verifier_diary.lines import Source
from verifier_diary.logfile import Log
from verifier_diary.parser import parse_line
from verifier_diary.source import Sources, Spot, spot_of

_INSTRUCTION = re.compile(r"[0-9]+: \([0-9a-f]{2}\) ")


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A source line, how many instructions of it the log shows, and their share of all."""

    spot: Spot
    instructions: int
    share: float


def hotspots(log: Log, sources: Sources | None = None, most: int = 5) -> tuple[Hotspot, ...]:
    """Return the lines that most of the simulated instructions in the log belong to."""
    counts: Counter[str] = Counter()
    current = ""
    for raw in log.raw[: log.end]:
        if raw.startswith(";"):
            current = raw if len(raw) > 2 else current
        elif _INSTRUCTION.match(raw):
            counts[current] += 1
    total = counts.total()
    del counts[""]
    found = []
    for raw, count in counts.most_common(most):
        line = parse_line(raw)
        spot = spot_of(line, sources) if isinstance(line, Source) else None
        if spot:
            found.append(Hotspot(spot, count, count / total))
    return tuple(found)
