"""What a lesson's source says of its bad program: the message it is refused with, and where."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

_MARK = re.compile(
    r"^(?P<mark>EXPECT_REJECT|EXPECT_AT)\((?P<texts>(?:\s*\"(?:[^\"\\]|\\.)*\"\s*,?)+)\)"
    r"|^[^#/\s}].*?\b(?P<function>\w+)\((?!.*;\s*$)",
    re.MULTILINE,
)
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"")


@dataclass(frozen=True, slots=True)
class Expectation:
    """Any of the texts; one without messages is accepted."""

    messages: tuple[str, ...] = ()  # parts of the verifier's message
    places: tuple[str, ...] = ()  # parts of the C line that is marked


def expectations(source: str) -> dict[str, Expectation]:
    """Return, by function, what the macros of bpf/include/expect.h say in a lesson's source."""
    found: dict[str, Expectation] = {}
    marks: dict[str, tuple[str, ...]] = {}
    for match in _MARK.finditer(source):
        if match["mark"]:
            texts = _TEXT.findall(match["texts"])
            marks[match["mark"]] = tuple(ast.literal_eval(text) for text in texts)
        elif match["function"] not in ("SEC", "__attribute__"):
            expected = Expectation(marks.get("EXPECT_REJECT", ()), marks.get("EXPECT_AT", ()))
            if marks:
                found[match["function"]] = expected
            marks = {}
    return found
