"""One row of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

REGISTERS = "Register Type Safety"
MEMORY = "Memory Safety"
LIFETIME = "Resource Lifetime Safety"
CALLS = "Call Type Safety"
CONTEXT = "Execution Context Safety"
STRUCTURE = "Program Structure"
POLICY = "Policy"
LIMIT = "Verifier Limit"  # in earlier revisions of the report
INTERNAL = "Verifier Internal Error"


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """What a group of messages means, where it comes from, and what cures it."""

    id: str
    title: str
    category: str  # of Linux 7.3's report
    rank: int  # of several lines of one log the lowest decides
    patterns: tuple[str, ...]  # `re.search` on one line
    meaning: str
    cause: str
    cure: str
    lesson: bool = True  # bpf/lessons/<id>.bpf.c exists
