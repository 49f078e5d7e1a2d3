"""The kinds of lines in a verifier log; each prints itself back exactly as it was read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from verifier_diary.registers import Entry, parse_state

# A jump ends at its target and a call at its name; what follows was glued to it.
_OPERATION_END = re.compile(
    r"(?:if \S+ \S+ \S+ |may_)?goto(?:_or_nop|l|x)? (?:pc)?[+-]?\w+|exit\b|call \S+"
)
_STATE_START = re.compile(r"\s*(?:(\d+):\s+)?(?:frame(\d+): ?)?(?=(?:R\d+|fp-?\d+)\w*=|refs=)")


# Kinds of which only the kind matters.
@dataclass(frozen=True, slots=True)
class _Kept:
    raw: str

    def __str__(self) -> str:
        """Return the line as it was read."""
        return self.raw


@dataclass(frozen=True, slots=True)
class Instruction:
    """`2: (07) r2 += -4                      ; R2_w=fp-4`, simulated at this point."""

    indent: str
    index: int
    opcode: int
    text: str
    gap: str  # between the text and the state, the semicolon included
    state: str

    def __str__(self) -> str:
        """Return the line as it was read."""
        return f"{self.indent}{self.index}: ({self.opcode:02x}) {self.text}{self.gap}{self.state}"

    @property
    def operation(self) -> str:
        """Return the disassembly without what the kernel glued to it."""
        match = _OPERATION_END.match(self.text)
        return match.group() if match else self.text

    @property
    def registers(self) -> tuple[Entry, ...]:
        """Return the registers and slots printed behind the instruction."""
        return parse_state(self._printed()[1])[0]

    @property
    def state_index(self) -> int | None:
        """Return the instruction that a glued state belongs to: `goto pc+1 5: R0=0`."""
        return self._printed()[0]

    @property
    def state_frame(self) -> int | None:
        """Return the frame that the state names, as after a call or an exit."""
        return self._printed()[2]

    @property
    def glued(self) -> str:
        """Return the message that the kernel printed without a newline before it, or ''."""
        return parse_state(self._printed()[1])[1].strip()

    # The instruction a glued state names, the state's text with what follows it, and its frame.
    def _printed(self) -> tuple[int | None, str, int | None]:
        return _split_state(self.state or self.text[len(self.operation) :])


@lru_cache(maxsize=1024)
def _split_state(text: str) -> tuple[int | None, str, int | None]:
    match = _STATE_START.match(text)
    if not match:
        return None, text, None
    index, frame = match.groups()
    return _number(index), text[match.end() :], _number(frame)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


@dataclass(frozen=True, slots=True)
class State:
    """`11: frame1: R0_w=scalar() R10=fp0`, or without an index, indented, on older kernels."""

    indent: str
    index: int | None
    gap: str
    frame: int | None
    frame_gap: str
    text: str

    def __str__(self) -> str:
        """Return the line as it was read."""
        index = "" if self.index is None else f"{self.index}:{self.gap}"
        frame = "" if self.frame is None else f"frame{self.frame}:{self.frame_gap}"
        return f"{self.indent}{index}{frame}{self.text}"

    @property
    def registers(self) -> tuple[Entry, ...]:
        """Return the registers and stack slots of the frame."""
        return parse_state(self.text)[0]

    @property
    def glued(self) -> str:
        """Return what follows the state on the same line, or ''."""
        return parse_state(self.text)[1].strip()


@dataclass(frozen=True, slots=True)
class Source:
    """`; if (data + 14 > data_end) @ parse.c:12`; the place is printed since about 6.9."""

    mark: str  # the semicolon with its spaces
    text: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return the line as it was read."""
        place = "" if self.file is None else f" @ {self.file}:{self.line}"
        column = "" if self.column is None else f":{self.column}"
        return f"{self.mark}{self.text}{place}{column}"


@dataclass(frozen=True, slots=True)
class Flow:
    """`from 9 to 13: R0=0 R10=fp0`: the verifier takes up a branch that it had put aside."""

    start: int
    target: int
    note: str  # " (speculative execution)" or ""
    gap: str
    frame: int | None
    frame_gap: str
    text: str  # a state, "safe", or nothing

    def __str__(self) -> str:
        """Return the line as it was read."""
        frame = "" if self.frame is None else f"frame{self.frame}:{self.frame_gap}"
        return f"from {self.start} to {self.target}{self.note}:{self.gap}{frame}{self.text}"

    @property
    def registers(self) -> tuple[Entry, ...]:
        """Return the registers and stack slots at the target."""
        return parse_state(self.text)[0]


@dataclass(frozen=True, slots=True)
class Safe:
    """`13: safe`: a state like an earlier one; this path ends here."""

    indent: str
    index: int

    def __str__(self) -> str:
        """Return the line as it was read."""
        return f"{self.indent}{self.index}: safe"


@dataclass(frozen=True, slots=True)
class Edited:
    """`12: <invalid kfunc call>`: libbpf's words in the place of an instruction it had poisoned."""

    indent: str
    index: int
    text: str

    def __str__(self) -> str:
        """Return the line as it was read."""
        return f"{self.indent}{self.index}: {self.text}"


@dataclass(frozen=True, slots=True)
class LoopState:
    """`cur state: R0=1` and `old state: R0=1`, printed after an infinite loop (6.12)."""

    which: str  # "cur" or "old"
    text: str

    def __str__(self) -> str:
        """Return the line as it was read."""
        return f"{self.which} state:{self.text}"


@dataclass(frozen=True, slots=True)
class Precision(_Kept):
    """`mark_precise: frame0: regs=r1 stack= before 9: (15) ...`: the verifier looks back."""


@dataclass(frozen=True, slots=True)
class Call(_Kept):
    """`caller:`, `returning from callee:`, `Func#1 ('f') is safe ...`: between frames."""


@dataclass(frozen=True, slots=True)
class Preface(_Kept):
    """`func#0 @0`, `Live regs before insn:` and the listings of the analyses before the run."""


@dataclass(frozen=True, slots=True)
class Summary(_Kept):
    """`processed 7 insns (limit 1000000) ...`, `verification time 9 usec`, `stack depth 8+0`."""


@dataclass(frozen=True, slots=True)
class ReportHead:
    """`Verification failed: Memory Safety: Access outside bounds`: Linux 7.3's report begins."""

    category: str
    problem: str

    def __str__(self) -> str:
        """Return the line as it was read."""
        problem = f": {self.problem}" if self.problem else ""
        return f"Verification failed: {self.category}{problem}"


@dataclass(frozen=True, slots=True)
class Blank(_Kept):
    """A line of nothing but white space."""


@dataclass(frozen=True, slots=True)
class Unknown(_Kept):
    """Anything else: the kernel's messages, and whatever was pasted along."""


Line: TypeAlias = (
    Instruction
    | State
    | Source
    | Flow
    | Safe
    | Edited
    | LoopState
    | Precision
    | Call
    | Preface
    | Summary
    | ReportHead
    | Blank
    | Unknown
)
