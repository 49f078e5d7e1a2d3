"""Where in the C source: from the log's annotations, and with the source text when it is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from verifier_diary.lines import Source

CONTEXT = 2  # lines before and after


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of C: its text as compiled, and file and number where the log or the source tells."""

    text: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return `file:line`, or '' where the place is not known."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file or ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the source text, for display."""

    number: int
    text: str
    marked: bool = False


Sources = Mapping[str, str]  # path -> text


def spot_of(
    source: Source | None, sources: Sources | None = None, function: str | None = None
) -> Spot | None:
    """Make a spot of an annotation; kernels before 6.9 name no place, the text may give it."""
    if source is None:
        return None
    spot = Spot(source.text.strip(), source.file, source.line, source.column)
    return located(spot, sources, function) if sources else spot


def located(spot: Spot, sources: Sources, function: str | None = None) -> Spot:
    """Find a spot in the source texts: at its number, or as the only line that reads like it.

    Of several such lines the only one in the body of the function is taken.
    """
    path = path_of(spot, sources)
    if path and spot.line and _reads(spot, sources[path], spot.line):
        return Spot(spot.text, path, spot.line, spot.column)
    places = [
        (name, number)
        for name, text in sources.items()
        for number, line in enumerate(text.splitlines(), 1)
        if spot.text and line.strip() == spot.text
    ]
    if len(places) > 1 and function:
        path_of_function, lines = body_of(function, sources)
        places = [p for p in places if p[0] == path_of_function and p[1] in lines]
    if len(places) == 1:
        return Spot(spot.text, *places[0], spot.column)
    return Spot(spot.text, path or spot.file, spot.line, spot.column)


def path_of(spot: Spot, sources: Sources) -> str | None:
    """Return the path of the source that a spot is in; the kernel prints the last part only."""
    if spot.file is None:
        return None
    if spot.file in sources:
        return spot.file
    name = PurePosixPath(spot.file).name
    same = [path for path in sources if PurePosixPath(path).name == name]
    fitting = [path for path in same if spot.line and _reads(spot, sources[path], spot.line)]
    return next(iter(fitting or same), None)


def head_of(function: str, sources: Sources) -> Spot | None:
    """Find where a function is defined; None if nowhere, or in several places."""
    head = re.compile(rf"^(?![ \t}}#*/]).*\b{re.escape(function)}\((?!.*;\s*$)")
    places = [
        Spot(line.strip(), path, number)
        for path, text in sources.items()
        for number, line in enumerate(text.splitlines(), 1)
        if head.match(line)
    ]
    return places[0] if len(places) == 1 else None


def body_of(function: str, sources: Sources) -> tuple[str | None, range]:
    """Return the file and the lines of a function, from its head to the brace that ends it."""
    head = head_of(function, sources)
    if head is None or head.file is None or head.line is None:
        return None, range(0)
    lines = sources[head.file].splitlines()
    ends = (n for n in range(head.line, len(lines)) if lines[n].startswith("}"))
    return head.file, range(head.line, next(ends, len(lines)) + 2)


def _reads(spot: Spot, text: str, number: int) -> bool:
    lines = text.splitlines()
    return 0 < number <= len(lines) and lines[number - 1].strip() == spot.text


def context(spot: Spot | None, sources: Sources | None) -> tuple[SourceLine, ...]:
    """Return the lines around a spot; only its own where the source is not there, or differs."""
    if spot is None:
        return ()
    path = path_of(spot, sources) if sources else None
    if sources and path and spot.line and _reads(spot, sources[path], spot.line):
        lines = sources[path].expandtabs(8).splitlines()
        first, last = max(1, spot.line - CONTEXT), min(len(lines), spot.line + CONTEXT)
        return tuple(
            SourceLine(number, lines[number - 1], number == spot.line)
            for number in range(first, last + 1)
        )
    return (SourceLine(spot.line or 0, spot.text, marked=True),) if spot.text else ()
