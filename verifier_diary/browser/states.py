"""What the registers held at a line of the log, as far as the failing path tells."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from verifier_diary.events import failing_path
from verifier_diary.lines import Edited, Flow, Instruction, Source, State
from verifier_diary.logfile import Log
from verifier_diary.registers import Entry


@dataclass(frozen=True, slots=True)
class Registers:
    """Registers and slots, and which moment they are of."""

    moment: str
    entries: tuple[Entry, ...]


_SIMULATED = (Instruction, Edited)


class States:
    """The registers along the failing path of a log."""

    def __init__(self, log: Log) -> None:
        """Put the path together."""
        self._log = log
        self._path = failing_path(log)
        self._lines = [event.line for event in self._path.events]
        printed = [states for event in self._path.events for states in event.states]
        self._names = {
            (frame, entry.name)
            for frame, entries in (*self._path.start, *printed)
            for entry in entries
        }

    def at(self, number: int) -> Registers:
        """Return what was known before the instruction that a line belongs to, counted from 0."""
        line = self._instruction_of(number)
        position = bisect_left(self._lines, line)
        if position < len(self._lines) and self._lines[position] == line:
            event = self._path.events[position]
            moment = f"before {event.index}: {event.text}"
            return Registers(moment, self._before(position, event.frame))
        edited = self._log.line(line)
        if line >= 0 and isinstance(edited, Edited) and self._lines:
            frame = self._path.events[-1].frame
            return Registers(f"before {edited.index}: {edited.text}", self._before(position, frame))
        printed = self._printed(number)
        return Registers("printed here" if printed else "not on the failing path", printed)

    # C source stands above its instructions; messages and the summary follow theirs.
    def _instruction_of(self, number: int) -> int:
        parsed = self._log.line(number)
        if isinstance(parsed, Flow | State):
            return -1
        lines = range(number, len(self._log))
        if not isinstance(parsed, Source):
            lines = range(number, -1, -1)
        instructions = (n for n in lines if isinstance(self._log.line(n), _SIMULATED))
        return next(instructions, -1)

    def _before(self, position: int, frame: int) -> tuple[Entry, ...]:
        names = (name for owner, name in self._names if owner == frame)
        held = ((name, self._path.value_before(position, frame, name)) for name in names)
        return tuple(sorted((Entry(n, v) for n, v in held if v is not None), key=_order))

    def _printed(self, number: int) -> tuple[Entry, ...]:
        line = self._log.line(number)
        return line.registers if isinstance(line, Instruction | State | Flow) else ()


def _order(entry: Entry) -> tuple[bool, int]:
    if entry.register is not None:
        return False, entry.register
    return True, -(entry.slot or 0)
