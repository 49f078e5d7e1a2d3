"""Say of a log who refused the program, with which message, and to which class that belongs."""

from __future__ import annotations

from dataclasses import dataclass

from verifier_diary import refusals
from verifier_diary.acceptance import looks_accepted
from verifier_diary.classes import class_of
from verifier_diary.kernel_report import KernelReport, kernel_report
from verifier_diary.logfile import Log
from verifier_diary.messages import Message, messages
from verifier_diary.model import Layer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said; lines count from 0, None where nothing applies."""

    class_id: str
    layer: Layer
    message: str
    line: int | None = None
    instruction: int | None = None
    messages: tuple[str, ...] = ()  # all candidates, the chosen one among them
    truncated: str | None = None  # "start" or "end": which part of the log is missing
    report: KernelReport | None = None


def classify(
    log: Log | str, loader: str = "", errno: int | None = None, *, rejected: bool = False
) -> Verdict:
    """Classify a log; `loader` is what clang or libbpf said, `errno` the number (positive).

    `rejected`: the load is known to have failed, even if the log looks like an accepted one's.
    """
    log = Log(log) if isinstance(log, str) else log
    found, report = messages(log), kernel_report(log)
    ranked = [(*best, m) for m in found if (best := class_of(m.text))]
    texts = tuple(m.text for m in found)
    said = bool(ranked or (found and log.is_log) or report)
    said = said and not refusals.is_optional(log, loader)
    if refused := refusals.refusal(log, loader, errno, said=said):
        return Verdict(*refused, messages=texts)
    _, class_id, message = min(ranked, key=lambda r: r[0], default=(0, "", Message(-1, "")))
    if not (said or rejected or errno) and looks_accepted(log, loader):
        return Verdict("accepted", Layer.NOBODY, "")
    if not ranked:
        class_id, message = refusals.fallback(log, found, report)
    return Verdict(
        class_id,
        Layer.LIMIT if class_id == "complexity" else Layer.VERIFIER,
        message.text,
        line=message.line if message.line >= 0 else None,
        instruction=refusals.instruction_of(log, message.text),
        messages=texts,
        truncated=_truncated(log, found),
        report=report,
    )


# Kernels before 5.x leave the summary out where they reject.
def _truncated(log: Log, found: tuple[Message, ...]) -> str | None:
    if log.starts_cut:
        return "start"
    return "end" if log.ends_cut and not (found and log.is_old) else None
