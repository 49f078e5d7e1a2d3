"""Verdicts that Go and Rust loaders put behind words of their own, on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from verifier_diary.parser import INSTRUCTION

_INTRODUCED = re.compile(
    r"(.*(?:load program: [a-z ]{4,40}|[Vv]erifier (?:output|log|error output)):) +(?=\S)(.*)"
)
_OMITTED = re.compile(r" \((?:truncated, )?\d+ lines?(?:\(s\))? omitted\).*$")
_BETWEEN = re.compile(r": (?=[A-Za-z])(?!u64=)")


@dataclass(frozen=True, slots=True)
class Quoted:
    """The last lines of a log, `(N line(s) omitted)` before them, as cilium/ebpf prints them."""

    head: str
    lines: tuple[str, ...]


def statements(lines: list[str]) -> Iterator[str | Quoted]:
    """Yield the lines with what was joined to a loader's words taken apart."""
    for line in lines:
        match = None if line.endswith(":") or ": " not in line else _INTRODUCED.match(line)
        if not match:
            yield line
        elif _OMITTED.search(match[2]):
            yield Quoted(match[1], tuple(_joined(_OMITTED.sub("", match[2]))))
        else:
            yield match[1]
            yield from _joined(match[2]) if INSTRUCTION.match(match[2]) else [match[2]]


# Go joins the last lines of a log by colons: `5: (71) r1 = *(u8 *)(r9 +23): R9 invalid ...`.
def _joined(text: str) -> list[str]:
    match = INSTRUCTION.match(text)
    start = match.end() if match else 0
    first, *rest = _BETWEEN.split(text[start:])
    return [text[:start] + first, *rest]
