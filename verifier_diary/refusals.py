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
# llc puts the place behind the word; clang's back end knows none, or says `<unknown>:0:0`.
LLC_ERROR = re.compile(
    r"^(?:fatal )?error: (?P<file>[^\s:<][^:\n]*):(?P<line>\d+):(?P<column>\d+): (?P<text>in .*)",
    re.MULTILINE,
)
_BACK_END = re.compile(
    r"^(?:\S*clang\S*: )?(?:fatal )?error: (?:<unknown>:0:0: )?(?P<text>.+)", re.MULTILINE
)
_STACK_LIMIT = re.compile(r"^(?!HINT: ).*(?:stack limit|Looks like the BPF stack).*$", re.MULTILINE)
_LOADER_SAYS = re.compile(
    r"libbpf|not found in kernel|failed to (?:load|find|create|open|init|prepare)|load failed"
    r"|Operation not permitted|Error (?:in|loading)|bpf_load_program\(\)"
    r"|^(?:prog|map) '[^']*': "
    r"|^(?:extern|struct_ops|sec|section) .*"
    r"(?:missing|invalid|incompatible|not (?:found|resolved|supported)|unsupported|failed)"
)
# What a loader says on its way, which decides nothing.
_IN_PASSING = re.compile(
    r"skipping|Retrying without|created successfully|found program|defaulting to zero"
    r"|try raising 'ulimit|-- (?:BEGIN|END) |resolved to|loaded kernel BTF|auto-loading is disabled"
    r"|BTF is optional|^(?:libbpf: )?(?:loading |elf: |sec '|license of|looking for|collected \d)"
    r"|^map \d+ is |: found (?:data )?map|at sec_idx|: relo #\d+: (?:insn|kind|matching|patched)"
)
_REPEATS = re.compile(
    r"failed to load (?:object|BPF skeleton)|: failed to load: -|failed to prepare load attr"
    r"|failed to load BPF object|failed to perform CO-RE relocations"
)
_KERNEL_SAYS = re.compile(r"load failed|failed to create|Operation not permitted|syscall|err=\d")
_AT_INSTRUCTION = re.compile(r"\binsn (\d{1,9})\b")


def compiler_error(text: str) -> re.Match[str] | None:
    """Find what a compiler complains of, with file, line, column and text; None without a place."""
    return CLANG_ERROR.search(text) or LLC_ERROR.search(text)


Refusal = tuple[str, Layer, str]


def refusal(log: Log, loader: str, errno: int | None, *, said: bool) -> Refusal | None:
    """Say who refused before the verifier; `said`: the verifier has spoken. None: nobody did."""
    return by_clang(log, loader) or (None if said else by_loader(log, loader, errno))


def by_clang(log: Log, loader: str) -> Refusal | None:
    """Say what the compiler refused, if it did."""
    if log.is_log:
        return None  # the verifier has seen what the compiler made
    text = f"{loader}\n{log.text}"
    if "error: " not in text and "stack limit" not in text:
        return None
    error = compiler_error(text) or _BACK_END.search(text)
    if match := _STACK_LIMIT.search(text):
        message = error["text"] if error else match.group()
        return "stack_limit", Layer.COMPILER, message.strip()
    return ("compile_error", Layer.COMPILER, error["text"].strip()) if error else None


def by_loader(log: Log, loader: str, errno: int | None) -> Refusal | None:
    """Say what the loader, or the kernel at its door, refused; None where nobody known did."""
    if log.is_log:
        return None
    lines = map(str.strip, f"{loader}\n{log.text}".splitlines())
    said = [line for line in lines if _LOADER_SAYS.search(line) and not _IN_PASSING.search(line)]
    if not said and not errno:
        return None
    causes = [line for line in said if not _REPEATS.search(line)] or said
    if not causes:
        return "loader", _layer("", errno), f"{os.strerror(errno or 0)} ({errno})"
    return "loader", _layer(causes[0], errno), causes[0]


def is_optional(log: Log, loader: str) -> bool:
    """Say whether the log is one of BTF that the loader went on without."""
    return not log.is_log and "BTF is optional, ignoring" in f"{loader}\n{log.text}"


def _layer(said: str, errno: int | None) -> Layer:
    if errno == numbers.E2BIG:
        return Layer.LIMIT
    return Layer.KERNEL if not said or _KERNEL_SAYS.search(said) else Layer.LIBBPF


def fallback(
    log: Log, found: tuple[Message, ...], report: KernelReport | None
) -> tuple[str, Message]:
    """Choose class and message where no message is known: by 7.3's report, or honestly none."""
    if report and report.class_id:
        message = found[-1] if found else Message(-1, f"{report.category}: {report.problem}")
        return report.class_id, message
    if found and log.summary is None and log.instruction is not None:
        return "unclassified", found[0]  # people's words may stand behind the kernel's
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
