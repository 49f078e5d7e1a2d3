"""Say why a program was refused, as the diary does."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier_diary.finding import diagnose
from verifier_diary.model import Attempt
from verifier_diary.report import render

# What comes from behind clang's front end names no place in the source.
_BACK_END = re.compile(r"^(?:fatal )?error: (.+)$", re.MULTILINE)
_RETRIED = re.compile(r"^.*Retrying without BTF\.?\n?", re.MULTILINE)  # libbpf's, no refusal


@dataclass(frozen=True)
class Reason:
    """Why a program was refused, and where; None for what nobody said."""

    class_id: str
    message: str | None = None
    source_line: str | None = None  # the C text
    source_file: str | None = None
    source_line_number: int | None = None
    report: str = ""  # the diagnosis, for people


NO_REASON = Reason("")  # of what was accepted


def reason(attempt: Attempt) -> Reason:
    """Return why an attempt was refused; NO_REASON if it was accepted."""
    if attempt.accepted:
        return NO_REASON
    diagnosis = diagnose(replace(attempt, messages=_RETRIED.sub("", attempt.messages)))
    verdict, spot = diagnosis.verdict, diagnosis.at.source
    behind = _BACK_END.search(attempt.messages)
    return Reason(
        class_id=verdict.class_id,
        message=verdict.message.removeprefix("libbpf: ") or (behind[1] if behind else None),
        source_line=(spot.text or None) if spot else None,
        source_file=spot.file if spot else None,
        source_line_number=spot.line if spot else None,
        report=render(diagnosis),
    )
