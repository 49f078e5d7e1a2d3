"""A diagnosis as plain text, in the order of Linux 7.3's report."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from verifier_diary.explain import Diagnosis
from verifier_diary.loops import Skipped
from verifier_diary.model import Layer
from verifier_diary.path import Step

WIDTH = 100


def render(diagnosis: Diagnosis, *, width: int = WIDTH) -> str:
    """Return the whole report; no colours, no trailing newline."""
    return "\n".join(_lines(diagnosis, width))


def headline(diagnosis: Diagnosis) -> str:
    """Return one line: class, layer, title."""
    verdict, error = diagnosis.verdict, diagnosis.error
    if verdict.layer is Layer.NOBODY:
        return f"{error.id}: {error.title}"
    return f"{error.id} ({verdict.layer}): {error.title}"


def _lines(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    verdict, error = diagnosis.verdict, diagnosis.error
    yield headline(diagnosis)
    if verdict.message:
        yield f"  {verdict.message}"
    if error.category:
        problem = f": {diagnosis.report.problem}" if diagnosis.report else ""
        yield f"  Linux 7.3: {error.category}{problem}"
    if verdict.truncated:
        yield f"  The {verdict.truncated} of this log is missing."
    yield from _section("Reason", _wrapped(diagnosis.reason, width))
    yield from _section("At", _at(diagnosis))
    yield from _section("Causal path", _path(diagnosis, width))
    yield from _section("Hottest lines", _hotspots(diagnosis))
    yield from _section("Usual cause", _wrapped(diagnosis.cause, width))
    yield from _section("Suggestion", _wrapped(diagnosis.suggestion, width))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}".rstrip() for line in body)


def _wrapped(text: str, width: int) -> Iterator[str]:
    yield from textwrap.wrap(text, width - 2, break_long_words=False, break_on_hyphens=False)


def _at(diagnosis: Diagnosis) -> Iterator[str]:
    at = diagnosis.at
    if at.source and str(at.source):
        yield str(at.source)
    numbers = [line.number for line in at.context if line.number]
    digits = len(str(max(numbers, default=0)))
    for line in at.context:
        mark = ">" if line.marked else " "
        number = f"{line.number:>{digits}} | " if line.number else ""
        yield f"{mark} {number}{line.text}"
    if at.instruction is not None:
        yield f"instruction {at.instruction}: {at.disassembly}".rstrip(": ")


# Under each line of C the instructions of it that matter.
def _path(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    digits = max((len(str(s.index)) for s in diagnosis.path if isinstance(s, Step)), default=1)
    shown = None
    for step in diagnosis.path:
        if isinstance(step, Skipped):
            yield f"{' ' * digits}  ... {_left_out(step)} left out ..."
            continue
        if step.source and step.source != shown:
            shown = step.source
            place = f"  ({shown.file}:{shown.line})" if shown.line else ""
            yield f"{shown.text}{place}"
        first, *rest = textwrap.wrap(step.text, max(width - digits - 6, 40)) or [""]
        yield f"  {step.index:>{digits}}: {first}"
        yield from (f"{' ' * digits}      {line}" for line in rest)


def _left_out(skipped: Skipped) -> str:
    if skipped.iterations:
        return f"{skipped.iterations} iteration{'s' * (skipped.iterations != 1)}"
    return f"{skipped.items} steps"


def _hotspots(diagnosis: Diagnosis) -> Iterator[str]:
    for spot in diagnosis.hotspots:
        place = f"{spot.spot}  " if str(spot.spot) else ""
        yield f"{spot.share:4.0%}  {spot.instructions:,} instructions  {place}{spot.spot.text}"
