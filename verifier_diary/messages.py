"""Select from a log the lines that say why the program was refused: the message is among them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier_diary.lines import Blank, Edited, Flow, Instruction, State, Unknown
from verifier_diary.logfile import PROCESSED, Log

_BTF_TYPE = re.compile(r"\[\d+\] \S")
_WORDS = re.compile(r"[A-Za-z]{2}")
# What the kernel says before it simulates a function, most often of those that it accepts.
_NOTE = re.compile(
    r"Global function |arg#\d+ reference type\(|Unrecognized arg#\d+ type|func '\S+' arg\d+ has"
    r"|reg type unsupported for arg#\d+ |(?:btf_vmlinux|in-kernel BTF) is malformed"
)
# What is left of an instruction or of a state where a log was cut.
_FRAGMENT = re.compile(r"(?:\d+: ?)?(?:frame\d*:? ?)?(?:(?:R|fp-?)\d*(?:_[rwD0-9]*)?=?)?")


@dataclass(frozen=True, slots=True)
class Message:
    """A line that may say why; `line` counts from 0."""

    line: int
    text: str


def messages(log: Log) -> tuple[Message, ...]:
    """Return what the kernel said after the last instruction and before its summary.

    The kernel forgets newlines: text glued to the end of an instruction, of a state or to the
    start of the summary counts as well.
    """
    last = log.last_instruction
    found = [] if last is None else _glued(log, last)
    for number, line in log.numbered(log.gap + 1 if last is None else last + 1, log.end):
        if isinstance(line, Blank) and found and last is not None and log.end == len(log):
            break  # the kernel's own lines follow each other; people's words come behind
        if isinstance(line, Unknown) and _is_said(line.raw.strip()):
            found.append(Message(number, line.raw.strip()))
        elif isinstance(line, State) and _is_glued(line.glued):
            found.append(Message(number, line.glued))
    if log.summary is not None and log.summary == log.end and log.summary != last:
        found += _before_summary(log, log.summary)
    if log.summary is None and log.gap < 0:
        found = [m for m in found if not (log.ends_early or _NOTE.match(m.text))]
    return _without_type_dump(tuple(m for m in found if m.text))


def _is_said(text: str) -> bool:
    return bool(_WORDS.search(text)) and not _FRAGMENT.fullmatch(text)


def _glued(log: Log, number: int) -> list[Message]:
    line = log.line(number)
    if not isinstance(line, Instruction):
        return []
    match = PROCESSED.search(line.glued)
    text = line.glued[: match.start()] if match else line.glued
    return [Message(number, text.strip())] if _is_glued(text.strip()) else []


# Not the rest of a state whose brackets were not closed, where a log was cut.
def _is_glued(text: str) -> bool:
    return text[:1].isalpha() and _is_said(text)


def _before_summary(log: Log, number: int) -> list[Message]:
    *_, match = PROCESSED.finditer(log.raw[number])
    line = log.line(number)
    if isinstance(line, Instruction | Edited | State | Flow):
        return []
    return [Message(number, log.raw[number][: match.start()].strip())]


# A BTF log lists every type on the way; the last one is the one at fault.
def _without_type_dump(found: tuple[Message, ...]) -> tuple[Message, ...]:
    types = [m for m in found if _BTF_TYPE.match(m.text)]
    return tuple(m for m in found if m not in types[:-1])
