"""The statistics as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from verifier_diary.listing import table
from verifier_diary.statistics import Count, Size, Statistics

_BAR = 40  # characters of the longest week


def render(numbers: Statistics) -> str:
    """Return all sections that have something to say."""
    return "\n\n".join(_sections(numbers)) or "nothing to count yet"


def _sections(numbers: Statistics) -> Iterator[str]:
    for title, counts in (
        ("class", numbers.classes),
        ("kernel", numbers.kernels),
        ("program", numbers.programs),
    ):
        if counts:
            yield _counts(title, counts)
    if numbers.weeks:
        yield _weeks(numbers)
    if numbers.tries:
        rows = [(t.name, f"{t.cured:,}", f"{t.median:g}", f"{t.most:,}") for t in numbers.tries]
        yield table(("tries until the cure", "cured", "median", "most"), rows)
    if numbers.sizes:
        yield table(_SIZE_HEADS, [_size(size) for size in numbers.sizes])


def _counts(title: str, counts: Sequence[Count]) -> str:
    rows = [(c.name, f"{c.entries:,}", f"{c.open:,}", f"{c.sightings:,}") for c in counts]
    return table((title, "entries", "open", "sightings"), rows)


def _weeks(numbers: Statistics) -> str:
    most = max(week.sightings for week in numbers.weeks)
    rows = [
        (week.name, f"{week.sightings:,}", "#" * max(1, week.sightings * _BAR // most))
        for week in numbers.weeks
    ]
    return table(("week", "rejections", ""), rows)


_SIZE_HEADS = ("accepted program", "kernel", "revision", "since", "instructions", "limit left")


def _size(size: Size) -> tuple[str, ...]:
    margin = "-" if size.margin is None else f"{size.margin:.1%}"
    revision = size.revision[:12] if size.revision else "-"
    return size.name, size.kernel or "-", revision, size.time[:10], f"{size.instructions:,}", margin
