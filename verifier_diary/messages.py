"""Select from a log the lines that say why the program was refused: the message is among them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier_diary.lines import Edited, Flow, Instruction, State, Unknown
from verifier_diary.logfile import PROCESSED, Log

_BTF_TYPE = re.compile(r"\[\d+\] \S")


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
    found: list[Message] = []
    if last is not None:
        found += _glued(log, last)
    for number, line in log.numbered(0 if last is None else last + 1, log.end):
        if isinstance(line, Unknown):
            found.append(Message(number, line.raw.strip()))
        elif isinstance(line, State) and line.glued:
            found.append(Message(number, line.glued))
    if log.summary is not None and log.summary == log.end and log.summary != last:
        found += _before_summary(log, log.summary)
    return _without_type_dump(tuple(m for m in found if m.text))


def _glued(log: Log, number: int) -> list[Message]:
    line = log.line(number)
    if not isinstance(line, Instruction):
        return []
    match = PROCESSED.search(line.glued)
    text = line.glued[: match.start()] if match else line.glued
    return [Message(number, text.strip())]


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
