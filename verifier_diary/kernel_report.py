"""The report that Linux 7.3 puts behind its message: category, reason, place, suggestion."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier_diary.lines import ReportHead
from verifier_diary.logfile import PROCESSED, Log

_SECTION = re.compile(r"(Reason|At|Active lock|Causal path|Suggestion):$")
_PLACE = re.compile(
    r"(?:(?P<function>\S+) @ )?(?P<file>\S+?):(?P<line>[0-9]{1,9}):(?P<column>[0-9]{1,9})$"
)
_INSN = re.compile(r"insn ([0-9]{1,9})$")
_MARKED_INSN = re.compile(r">>> +([0-9]{1,9}) \| (\([0-9a-f]{2}\) .+)")

# Where the message above the report says nothing that the catalogue knows: what the report says.
# The first pattern is for "Category: Problem", the second for the reason.
CLASS_OF_REPORT = (
    (r"Unreadable register", r"", "uninit_register"),
    (r"Missing stack argument", r"", "uninit_register"),
    (r"Invalid dereference", r"may be NULL", "null_deref"),
    (r"Invalid dereference", r"original form", "modified_ptr"),
    (r"Invalid dereference", r"", "scalar_deref"),
    (r"Access outside bounds", r" is pkt", "packet_bounds"),
    (r"Access outside bounds", r" is map_(value|key)", "map_value_bounds"),
    (r"Access outside bounds", r" is fp", "stack_bounds"),
    (r"Access outside bounds", r"", "mem_bounds"),
    (r"Unreleased resource", r"", "ref_leak"),
    (r"Invalid call argument", r"may be NULL|nullable", "null_deref"),
    (r"Invalid call argument", r"", "arg_type"),
    (r"Operation is not allowed in this context", r"spin lock|lock region", "lock"),
    (r"Operation is not allowed in this context", r"non-sleepable", "sleepable"),
    (r"Operation is not allowed in this context|Required context|Unmatched context", r"",
     "rcu_preempt_irq"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KernelReport:
    """What Linux 7.3 says itself; texts unwrapped, places None where it names none."""

    category: str
    problem: str
    reason: str = ""
    suggestion: str = ""
    function: str | None = None
    file: str | None = None
    line: int | None = None
    instruction: int | None = None
    disassembly: str | None = None
    path: tuple[str, ...] = ()  # its lines, as printed

    @property
    def class_id(self) -> str | None:
        """Return the class that the report points to, or None."""
        head = f"{self.category}: {self.problem}"
        for problem, reason, class_id in CLASS_OF_REPORT:
            if re.search(problem, head) and re.search(reason, self.reason):
                return class_id
        return None


def kernel_report(log: Log) -> KernelReport | None:
    """Read the report of a log; None for kernels that print none."""
    if log.report is None:
        return None
    head = log.line(log.report)
    if not isinstance(head, ReportHead):
        return None
    sections = _sections(log, log.report + 1)
    report = KernelReport(
        head.category,
        head.problem,
        reason=_unwrap(sections.get("Reason", [])),
        suggestion=_unwrap(sections.get("Suggestion", [])),
        path=tuple(sections.get("Causal path", [])),
    )
    return _placed(report, sections.get("At", []))


def _sections(log: Log, start: int) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for raw in log.raw[start:]:
        if PROCESSED.search(raw):
            break
        if match := _SECTION.match(raw):
            current = sections.setdefault(match[1], [])
        elif raw.strip():
            current.append(raw.removeprefix("  "))
    return sections


def _unwrap(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _placed(report: KernelReport, lines: list[str]) -> KernelReport:
    for text in (line.strip() for line in lines):
        if match := _PLACE.fullmatch(text):
            line = int(match["line"])
            report = replace(report, function=match["function"], file=match["file"], line=line)
        elif match := _INSN.fullmatch(text):
            report = replace(report, instruction=int(match[1]))
        elif match := _MARKED_INSN.fullmatch(text):
            report = replace(report, instruction=int(match[1]), disassembly=match[2])
    return report
