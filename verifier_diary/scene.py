"""What a reason is told from: the verdict, the failing path, and the registers at fault."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from verifier_diary import words
from verifier_diary.classifier import Verdict
from verifier_diary.events import Event, Path, failing_path
from verifier_diary.logfile import Log
from verifier_diary.operations import Kind
from verifier_diary.registers import Value

_REGISTER = re.compile(r"\bR(1[01]|\d)\b")
_ARGUMENT = re.compile(r"\barg#(\d)\b")
_STACK_RANGE = re.compile(r"stack R\d+ off (-?\d+)\+(\d+) size (\d+)")
_STACK_READ = re.compile(r"read from stack (?:off (-?\d+)\+(\d+)|R\d+ off=(-?\d+)) size[ =]\d+")


@dataclass(frozen=True)
class Scene:
    """One rejection, with everything that its log tells."""

    log: Log
    verdict: Verdict

    @cached_property
    def path(self) -> Path:
        """Return the failing path."""
        return failing_path(self.log)

    @property
    def last(self) -> Event | None:
        """Return the instruction at fault."""
        return self.path.events[-1] if self.path.events else None

    @cached_property
    def suspects(self) -> tuple[str, ...]:
        """Return the registers or slots at fault, named by the message or by the instruction."""
        if slots := self._slots():
            return slots
        for text in (self.verdict.message, *self.verdict.messages):
            if names := _REGISTER.findall(text):
                return (f"R{names[0]}",)
            if arguments := _ARGUMENT.findall(text):
                return (f"R{int(arguments[0]) + 1}",)
        return self._operands()

    # A read of unwritten stack bytes names a range of them, in the slots of 8 that states print.
    def _slots(self) -> tuple[str, ...]:
        match = _STACK_RANGE.search(self.verdict.message)
        if match:
            start, size = int(match[1]), int(match[3])
            first = start // 8 * 8
            return tuple(f"fp{at}" for at in range(first, min(start + size, 0), 8))[:64]
        match = _STACK_READ.search(self.verdict.message)
        if match and int(match[1] or match[3]) in range(-512, 0):
            return (f"fp{int(match[1] or match[3]) // 8 * 8}",)
        return ()

    def _operands(self) -> tuple[str, ...]:
        if self.last is None:
            return ()
        operation = self.last.operation
        if operation.base:
            return (operation.base,)
        if operation.kind in (Kind.COPY, Kind.COMPUTE):
            return operation.sources
        return ()

    @property
    def name(self) -> str:
        """Return the first suspect, or ''."""
        return self.suspects[0] if self.suspects else ""

    def value(self, name: str) -> Value | None:
        """Return what a register held when the instruction at fault was reached."""
        if self.last is None:
            return None
        return self.path.value_before(len(self.path.events) - 1, self.last.frame, name)

    @cached_property
    def suspect(self) -> Value | None:
        """Return what the first suspect held."""
        return self.value(self.name) if self.name else None

    def said(self, pattern: str) -> re.Match[str] | None:
        """Search the message and its neighbours."""
        for text in (self.verdict.message, *self.verdict.messages):
            if match := re.search(pattern, text):
                return match
        return None

    def held(self, name: str = "") -> str:
        """Return `R1 is a number from 0 to 7`, or '' if the log does not say."""
        name = name or self.name
        value = self.value(name) if name else None
        return f"{name} is {words.describe(value)}" if value else ""
