"""A whole verifier log: its lines related to each other, each parsed when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from verifier_diary.lines import (
    Blank,
    Edited,
    Flow,
    Instruction,
    Line,
    Preface,
    ReportHead,
    Source,
    State,
    Summary,
    Unknown,
)
from verifier_diary.parser import parse_line

PROCESSED = re.compile(r"processed [0-9]+ insns")
_LIKE_INSTRUCTION = re.compile(r"[ \t]*[0-9]+: (?:\([0-9a-f]{2}\) |<invalid )")
GAP = "(line(s) omitted)"  # cilium/ebpf says how many; what is behind is not near what is before
_GAP = re.compile(r"[ \t]*\((?:[0-9]+ )?line\(s\) omitted\)[ \t]*")
_NEW = re.compile(  # behind the instruction since 5.18
    r"^[ \t]*[0-9]+: \([0-9a-f]{2}\) [^;\n]*; (?:frame[0-9]+: ?)?(?:R[0-9]|fp-)|^[0-9]+: R1=",
    re.MULTILINE,
)
_LISTING = re.compile(r"subprog#[0-9]+:|stack use/def |Live regs before insn:")


class Log:
    """The lines of one log; numbers of lines count from 0."""

    def __init__(self, text: str) -> None:
        """Split a log that `clean` has been over (plain newlines, no prefixes)."""
        self.text = text
        self.raw = text.split("\n")
        self._parsed: dict[int, Line] = {}

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.raw)

    def line(self, number: int) -> Line:
        """Return one line, parsed."""
        parsed = self._parsed.get(number)
        if parsed is None:
            parsed = self._parsed[number] = parse_line(self.raw[number])
        return parsed

    @cached_property
    def summary(self) -> int | None:
        """Return the line that holds the last `processed N insns`, anywhere in it."""
        for number in range(len(self.raw) - 1, -1, -1):
            if "processed " in self.raw[number] and PROCESSED.search(self.raw[number]):
                return number
        return None

    @cached_property
    def report(self) -> int | None:
        """Return the line where the report of Linux 7.3 begins."""
        for number in range(len(self.raw) - 1, -1, -1):
            if self.raw[number].startswith("Verification failed: "):
                return number if isinstance(self.line(number), ReportHead) else None
        return None

    @cached_property
    def gap(self) -> int:
        """Return the last line that stands for others left out, or -1."""
        if "omitted)" not in self.text:
            return -1
        numbers = range(len(self.raw) - 1, -1, -1)
        return next((number for number in numbers if _GAP.fullmatch(self.raw[number])), -1)

    @cached_property
    def end(self) -> int:
        """Return the number of lines before the report, the summary, and what follows them."""
        ends = [number for number in (self.report, self.summary) if number is not None]
        return min(ends, default=len(self.raw))

    @cached_property
    def last_instruction(self) -> int | None:
        """Return the line of the last instruction that was simulated."""
        number = self.end
        if number < len(self.raw) and number == self.summary:
            number += 1  # the summary may be glued to it
        while number := self._instruction_before(number):
            if not self._is_listed(number - 1):
                return number - 1
            number = self._listing_start(number - 1) + 1
        return None

    # One more than the line, so that the first line is not taken for "none".
    def _instruction_before(self, number: int) -> int:
        for candidate in range(number - 1, self.gap, -1):
            if _LIKE_INSTRUCTION.match(self.raw[candidate]) and isinstance(
                self.line(candidate), Instruction | Edited
            ):
                return candidate + 1
        return 0

    # Linux 6.16 and 7.3 list the program, indented, before they simulate it.
    def _is_listed(self, number: int) -> bool:
        if not self.raw[number].startswith(" "):
            return False
        start = self._listing_start(number)
        return bool(_LISTING.match(self.raw[start]))

    def _listing_start(self, number: int) -> int:
        while number > 0 and self.raw[number].startswith(" "):
            number -= 1
        return number

    @cached_property
    def instruction(self) -> Instruction | Edited | None:
        """Return the last instruction that was simulated."""
        if self.last_instruction is None:
            return None
        line = self.line(self.last_instruction)
        return line if isinstance(line, Instruction | Edited) else None

    @cached_property
    def source(self) -> int | None:
        """Return the line of the C source that the last instruction belongs to."""
        return None if self.last_instruction is None else self.source_of(self.last_instruction)

    def source_of(self, number: int) -> int | None:
        """Return the nearest line of C source at or before a line; empty ones do not count."""
        for candidate in range(number, self.gap if number > self.gap else -1, -1):
            if self.raw[candidate].lstrip(" \t").startswith(";"):
                line = self.line(candidate)
                if isinstance(line, Source) and (line.text.strip() or line.line):
                    return candidate
        return None

    def source_at(self, number: int) -> Source | None:
        """Return that line, parsed."""
        found = self.source_of(number)
        line = None if found is None else self.line(found)
        return line if isinstance(line, Source) else None

    def numbered(self, start: int, end: int) -> Iterator[tuple[int, Line]]:
        """Yield the lines of a part, with their numbers."""
        for number in range(max(start, 0), min(end, len(self.raw))):
            yield number, self.line(number)

    @cached_property
    def is_old(self) -> bool:
        """Say whether states stand on lines of their own, as kernels before 5.18 print them."""
        return self.last_instruction is not None and not _NEW.search(self.text)

    @cached_property
    def starts_cut(self) -> bool:
        """Say whether the beginning is missing (kernels from 6.4 on keep the end)."""
        for number, line in self.numbered(0, self.end):
            if isinstance(line, Preface):
                return False
            if isinstance(line, Instruction | State | Flow):
                index = line.start if isinstance(line, Flow) else line.index
                if index != 0 or (isinstance(line, Instruction) and not self.is_old):
                    return True  # newer kernels print a state before the first instruction
                return number > 0 and not self._notes_before(number)
        return False

    # What may come before instruction 0: notes and C source, but no half of a line.
    def _notes_before(self, number: int) -> bool:
        kinds = (Source, Unknown, Blank)
        return all(isinstance(line, kinds) for _, line in self.numbered(0, number))

    @cached_property
    def ends_cut(self) -> bool:
        """Say whether the end is missing (kernels before 6.4 keep the beginning)."""
        return self.summary is None and (self.last_instruction is not None or self.ends_early)

    @cached_property
    def ends_early(self) -> bool:
        """Say whether the log is cut before its first instruction: what it has are notes."""
        if self.gap >= 0 or self.last_instruction is not None or self.end < len(self.raw):
            return False
        return any(isinstance(line, State) for _, line in self.numbered(0, self.end))

    @cached_property
    def is_log(self) -> bool:
        """Say whether anything in here is a verifier's."""
        kinds = (Instruction, State, Summary, Preface, ReportHead, Flow)
        return any(isinstance(line, kinds) for _, line in self.numbered(0, len(self.raw)))
