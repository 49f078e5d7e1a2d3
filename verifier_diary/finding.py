"""What the diary keeps of a diagnosis: enough to list, group and search it.

The whole diagnosis is made again from the log when a page is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier_diary.explain import Diagnosis, explain
from verifier_diary.loops import Skipped
from verifier_diary.model import Attempt, Layer


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an attempt was rejected, and where; None for what nobody said."""

    class_id: str
    layer: Layer
    message: str
    instruction: int | None = None
    operation: str = ""  # the instruction's disassembly
    source_line: str | None = None  # the C text
    source_file: str | None = None
    source_line_number: int | None = None
    truncated: str | None = None  # "start" or "end": the part of the log that is missing
    cause: str = ""
    cure: str = ""
    explanation: str = ""  # for the search: everything that the diagnosis says


def diagnose(attempt: Attempt) -> Diagnosis:
    """Explain a rejected attempt with the sources that it was compiled from."""
    sources = {source.path: source.text for source in attempt.sources if source.text is not None}
    return explain(
        attempt.log,
        loader=attempt.messages,
        errno=attempt.errno,
        sources=sources or None,
        function=attempt.program.function or None,
        rejected=True,
    )


def find(attempt: Attempt) -> Finding:
    """Diagnose a rejected attempt; who refused is best known by who loaded."""
    diagnosis = diagnose(attempt)
    verdict, at = diagnosis.verdict, diagnosis.at
    return Finding(
        class_id=verdict.class_id,
        layer=attempt.layer or verdict.layer,
        message=verdict.message,
        instruction=verdict.instruction,
        operation=at.disassembly,
        source_line=(at.source.text or None) if at.source else None,
        source_file=at.source.file if at.source else None,
        source_line_number=at.source.line if at.source else None,
        truncated=verdict.truncated or _cut(attempt),
        cause=diagnosis.cause,
        cure=diagnosis.error.cure,
        explanation=_explanation(diagnosis),
    )


# Kernels that tell the true size of a log (6.4 and later) keep its end, older ones its start.
def _cut(attempt: Attempt) -> str | None:
    if not attempt.truncated:
        return None
    return "end" if attempt.log_true_size is None else "start"


def _explanation(diagnosis: Diagnosis) -> str:
    error = diagnosis.error
    path = [step.text for step in diagnosis.path if not isinstance(step, Skipped)]
    parts = (error.id, error.title, error.category, diagnosis.reason, *path, diagnosis.cause)
    return "\n".join((*parts, diagnosis.suggestion))
