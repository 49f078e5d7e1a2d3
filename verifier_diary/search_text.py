"""Which words of a rejection the search finds it by."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier_diary.finding import Finding
from verifier_diary.model import Attempt

LONGEST = 64 * 1024  # characters of a log or a source that are indexed

_NUMBERED = re.compile(r"^\s*\d+: (?:\([0-9a-f]{2}\) )?")
_STATE = re.compile(r"^\s*(?:\d+: |frame\d+: )*(?:R\d+\w*=|fp-\d+\w*=|refs=)")


@dataclass(frozen=True, slots=True)
class Searched:
    """The four columns of the search."""

    message: str
    source: str
    log: str
    explanation: str


def searched(attempt: Attempt, finding: Finding) -> Searched:
    """Collect the words of a rejected attempt."""
    program = attempt.program
    names = (program.function, program.section, program.object, attempt.kernel.release)
    main = next((source.text for source in attempt.sources if source.text), "")
    messages = dict.fromkeys((finding.message, *attempt.messages.splitlines()[:50]))
    return Searched(
        message="\n".join(filter(None, (*messages, *names))),
        source=f"{finding.source_line or ''}\n{main[:LONGEST]}".strip(),
        log=bare(attempt.log),
        explanation=finding.explanation,
    )


def bare(log: str) -> str:
    """Return each line of a log once, without numbers of instructions and states of registers."""
    seen: dict[str, None] = {}
    size = 0
    for line in log.splitlines():
        if _STATE.match(line):
            continue
        text = _NUMBERED.sub("", line).partition("; R")[0].strip()
        if text and text not in seen:
            size += len(text) + 1
            if size > LONGEST:
                break
            seen[text] = None
    return "\n".join(seen)
