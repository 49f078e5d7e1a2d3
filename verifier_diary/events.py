"""The failing path: the instructions that led to the rejection, first to last, with their states.

A log of level 2 holds every path that was walked; `from A to B:` says where a path was taken up
again, so the failing one is put together backwards from the last instruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from verifier_diary.lines import Call, Flow, Instruction, Line, Preface, State
from verifier_diary.logfile import Log
from verifier_diary.operations import Kind, Operation, operation_of
from verifier_diary.registers import Entry, Value

MOST_EVENTS = 50_000  # further back nobody reads on
_READ_BACK = 20_000  # events that a value is looked for


States = tuple[int, tuple[Entry, ...]]  # a frame, and what was printed of it


@dataclass(slots=True)
class Event:
    """One simulated instruction, with the states that the verifier printed behind it."""

    line: int
    index: int
    text: str
    operation: Operation
    frame: int = 0
    states: list[States] = field(default_factory=list)

    def printed(self, frame: int, name: str) -> Value | None:
        """Return what was printed of a register or slot of a frame, if anything."""
        return _printed(self.states, frame, name)

    def target(self) -> int | None:
        """Return the instruction that a jump goes to when it is taken."""
        if self.operation.kind in (Kind.BRANCH, Kind.JUMP):
            return self.index + 1 + self.operation.offset
        return None


@dataclass(frozen=True)
class Path:
    """The events of the failing path; the last one is the instruction at fault."""

    events: list[Event]
    whole: bool  # it reaches back to the program's first instruction
    start: tuple[States, ...] = ()  # printed before the first instruction

    def value_before(self, position: int, frame: int, name: str) -> Value | None:
        """Return what a register or slot held before an event; None where the log does not say."""
        for earlier in range(position - 1, max(position - 1 - _READ_BACK, -1), -1):
            event = self.events[earlier]
            value = event.printed(frame, name)
            if value is not None:
                return value
            if event.frame == frame and writes(event.operation, name):
                return None
        return _printed(self.start, frame, name)

    def value_after(self, position: int, frame: int, name: str) -> Value | None:
        """Return what a register or slot held after an event, as far as the log says."""
        return self.events[position].printed(frame, name)

    def taken(self, position: int) -> bool | None:
        """Say whether a branch was taken on this path."""
        if position + 1 >= len(self.events):
            return None
        event, following = self.events[position], self.events[position + 1].index
        if event.operation.offset == 0:
            return None
        return following == event.target()


def _printed(states: Sequence[States], frame: int, name: str) -> Value | None:
    for owner, entries in reversed(states):
        if owner == frame:
            value = next((e.value for e in entries if e.name == name), None)
            if value is not None:
                return value
    return None


def writes(operation: Operation, name: str) -> bool:
    """Say whether an instruction overwrites a register or slot of its own frame."""
    if operation.kind is Kind.CALL:
        return name in ("R0", *operation.sources)
    if operation.kind is Kind.ENTER:
        return name in ("R0", "R1", "R2", "R3", "R4", "R5")
    if operation.kind is Kind.STORE:
        return name == operation.slot
    return operation.target == name


def failing_path(log: Log) -> Path:
    """Put the failing path together."""
    walk = _Walk(log)
    events: list[Event] = []
    number = walk.to_instruction(log.last_instruction)
    while number is not None and len(events) < MOST_EVENTS:
        line = log.line(number)
        assert isinstance(line, Instruction)
        operation = operation_of(line.operation)
        states = [*_own(line), *walk.states]
        events.append(Event(number, line.index, line.operation, operation, states=states))
        walk.start_over(line)
        number = walk.to_instruction(number - 1)
    events.reverse()
    _number_frames(events)
    whole = not log.starts_cut or (bool(events) and events[0].index == 0)
    return Path(events, whole, tuple(walk.states) if number is None else ())


class _Walk:
    """Goes backwards from instruction to instruction along one path."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.states: list[States] = []
        self._following: int | None = None  # index of the instruction that comes next
        self._resumed = False  # the path was taken up again between the two
        self._returned = False  # a function returned between the two

    def start_over(self, line: Instruction) -> None:
        """Forget what lies behind an instruction that has been dealt with."""
        self.states, self._following = [], line.index
        self._resumed = self._returned = False

    def to_instruction(self, number: int | None) -> int | None:
        """Return the line of the instruction before, on this path; None at its beginning."""
        while number is not None and number >= 0:
            line = self.log.line(number)
            if isinstance(line, Preface):
                return None
            if isinstance(line, Instruction):
                if self._belongs(line):
                    return number
                number = _jump_to(self.log, number, self._following or 0)
                self._resumed = True
            elif isinstance(line, Flow):
                self.states.insert(0, (line.frame or 0, line.registers))
                number = _branch_point(self.log, number, line.start)
                self._resumed = True
            else:
                self._note(line, number)
                number -= 1
        return None

    def _belongs(self, line: Instruction) -> bool:
        if self._resumed or self._following is None:
            return True
        if operation_of(line.operation).kind is Kind.EXIT:
            return self._returned
        return _leads_to(line, self._following)

    def _note(self, line: Line, number: int) -> None:
        if isinstance(line, State):
            after = self.log.raw[number + 1] if number + 1 < len(self.log) else ""
            if not after.startswith("parent "):  # 5.x: the state of an earlier point
                self.states.insert(0, (line.frame or 0, line.registers))
        elif isinstance(line, Call) and line.raw.startswith(("returning from", "to caller")):
            self._returned = True


def _own(line: Instruction) -> list[States]:
    entries = line.registers
    return [(line.state_frame or 0, entries)] if entries else []


# The branch was put aside at the nearest visit of its jump that no other resumption accounts for.
def _branch_point(log: Log, before: int, index: int) -> int | None:
    open_resumptions = 1
    prefix, resumption = f"{index}: (", f"from {index} to "
    nearest: int | None = None
    for number in range(before - 1, -1, -1):
        raw = log.raw[number]
        if raw.startswith(prefix):
            nearest = number if nearest is None else nearest
            open_resumptions -= 1
            if not open_resumptions:
                return number
        elif raw.startswith(resumption):
            open_resumptions += 1
    return nearest


# Level 2 of 5.x resumes a branch without saying so: the nearest jump that goes there.
def _jump_to(log: Log, before: int, index: int) -> int | None:
    for number in range(before - 1, -1, -1):
        line = log.line(number)
        if isinstance(line, Instruction):
            operation = operation_of(line.operation)
            if operation.kind is Kind.BRANCH and line.index + 1 + operation.offset == index:
                return number
    return None


def _leads_to(line: Instruction, following: int) -> bool:
    operation = operation_of(line.operation)
    step = 2 if line.opcode == 0x18 else 1
    if operation.kind in (Kind.ENTER, Kind.CALL):
        return True  # another function, or a callback
    if operation.kind is Kind.JUMP:
        return following == line.index + 1 + operation.offset
    if operation.kind is Kind.BRANCH:
        return following in (line.index + 1, line.index + 1 + operation.offset)
    return following == line.index + step


# A state names its frame unless it is frame 0; an instruction without one is where the last was.
def _number_frames(events: list[Event]) -> None:
    frame = 0
    for event in events:
        event.frame = frame
        own = next((owner for owner, _ in event.states), None)
        if own is not None and event.operation.kind not in (Kind.ENTER, Kind.EXIT):
            event.frame = frame = own
        if event.operation.kind is Kind.ENTER:
            frame += 1
        elif event.operation.kind is Kind.EXIT:
            frame = max(frame - 1, 0)
        if event.states:
            frame = event.states[-1][0]
