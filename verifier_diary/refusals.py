"""Refusals without a word of the verifier: by clang, the loader, the kernel at its door."""

from __future__ import annotations

import errno as numbers
import os
import re

from verifier_diary.kernel_report import KernelReport
from verifier_diary.lines import Edited, Instruction
from verifier_diary.logfile import Log
from verifier_diary.messages import Message
from verifier_diary.model import Layer

CLANG_ERROR = re.compile(
    r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+): (?:fatal )?error: (?P<text>.*)",
    re.MULTILINE,
)
_STACK_LIMIT = re.compile(r"^.*(?:stack limit|Looks like the BPF stack).*$", re.MULTILINE)
_LOADER_SAYS = re.compile(
    r"libbpf|extern \(|not found in kernel|failed to (?:load|find|create|open|init)|load failed"
    r"|Operation not permitted|Error (?:in|loading)",
)
_REPEATS = re.compile(r"failed to load (?:object|BPF skeleton)|: failed to load: -")
_KERNEL_SAYS = re.compile(r"load failed|failed to create|Operation not permitted")
_AT_INSTRUCTION = re.compile(r"\binsn (\d{1,9})\b")

Refusal = tuple[str, Layer, str]


def refusal(log: Log, loader: str, errno: int | None, *, said: bool) -> Refusal | None:
    """Say who refused before the verifier; `said`: the verifier has spoken. None: nobody did."""
    return by_clang(log, loader) or (None if said else by_loader(log, loader, errno))


def by_clang(log: Log, loader: str) -> Refusal | None:
    """Say what the compiler refused, if it did."""
    text = loader if log.is_log else f"{loader}\n{log.text}"
    if "error: " not in text and "stack limit" not in text:
        return None
    error = CLANG_ERROR.search(text)
    if match := _STACK_LIMIT.search(text):
        message = error["text"] if error else match.group()
        return "stack_limit", Layer.COMPILER, message.strip()
    return ("compile_error", Layer.COMPILER, error["text"].strip()) if error else None


def by_loader(log: Log, loader: str, errno: int | None) -> Refusal | None:
    """Say what the loader, or the kernel at its door, refused; None where nobody known did."""
    if log.is_log:
        return None
    lines = f"{loader}\n{log.text}".splitlines()
    said = [line.strip() for line in lines if _LOADER_SAYS.search(line)]
    if not said and not errno:
        return None
    causes = [line for line in said if not _REPEATS.search(line)] or said
    message = causes[0] if causes else f"{os.strerror(errno or 0)} ({errno})"
    return "loader", _layer(said, errno), message


def _layer(said: list[str], errno: int | None) -> Layer:
    if errno == numbers.E2BIG:
        return Layer.LIMIT
    if not said or any(_KERNEL_SAYS.search(line) for line in said):
        return Layer.KERNEL
    return Layer.LIBBPF


def fallback(found: tuple[Message, ...], report: KernelReport | None) -> tuple[str, Message]:
    """Choose class and message where no message is known: by 7.3's report, or honestly none."""
    if report and report.class_id:
        message = found[-1] if found else Message(-1, f"{report.category}: {report.problem}")
        return report.class_id, message
    if found:
        return "unclassified", found[-1]
    return "no_message", Message(-1, "")


def instruction_of(log: Log, message: str) -> int | None:
    """Return the index of the instruction at fault: the last one, else one that is named."""
    line = log.instruction
    if isinstance(line, Instruction | Edited):
        return line.index
    match = _AT_INSTRUCTION.search(message)
    return int(match[1]) if match else None
