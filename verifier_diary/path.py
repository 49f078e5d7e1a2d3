"""The causal path: what made the register at fault what it is, followed backwards.

Moves, spills, fills, branches and calls are followed to where the value came from, as Linux 7.3
does; here for the log of any kernel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from verifier_diary import words
from verifier_diary.events import Event, Path, writes
from verifier_diary.loops import Skipped, collapse
from verifier_diary.operations import STACK, Kind
from verifier_diary.registers import Value
from verifier_diary.source import Spot

MOST_STEPS = 64  # shown
# Beyond a few computations whose result may be (nearly) any number, nothing explains a bound.
_MOST_WIDE = 3
_WIDE = (1 << 32) - 2  # from the smallest to the largest number
_MOST_FOLLOWED = 50_000  # steps, before loops are collapsed
_ARGUMENTS = ("R1", "R2", "R3", "R4", "R5")

T = TypeVar("T")

Place = tuple[int, str]  # frame, name of a register or slot


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the value, in the order of the program."""

    line: int
    index: int
    instruction: str
    text: str
    name: str = ""  # the register or slot it happened to
    before: Value | None = None
    after: Value | None = None
    source: Spot | None = None


def trace_back(path: Path, names: tuple[str, ...]) -> tuple[Step | Skipped, ...]:
    """Follow registers or slots of the failing instruction's frame back to their origins."""
    if not path.events:
        return ()
    frame = path.events[-1].frame
    tracer = _Tracer(path, {(frame, name) for name in names if name != STACK})
    for position in range(len(path.events) - 2, -1, -1):
        if not tracer.wanted or len(tracer.drafts) >= _MOST_FOLLOWED:
            break
        tracer.visit(position)
    drafts = shortened(tracer.drafts[::-1], lambda d: (path.events[d[0]].index, d[1][1]))
    return tuple(d if isinstance(d, Skipped) else tracer.step(d) for d in drafts)


def shortened(items: Sequence[T], key: Callable[[T], Hashable]) -> list[T | Skipped]:
    """Collapse loops, and leave out the middle of what is still too long."""
    short = collapse(items, key)
    extra = len(short) - MOST_STEPS
    if extra <= 0:
        return short
    half = MOST_STEPS // 2
    return [*short[:half], Skipped(0, extra), *short[half + extra :]]


# Where a step happens, to what, and how to say it: said only if the step is shown.
_Draft = tuple[int, Place, Callable[[], str]]


class _Tracer:
    """Walks backwards with the set of places whose history is wanted."""

    def __init__(self, path: Path, wanted: set[Place]) -> None:
        self.path = path
        self.wanted = wanted
        self.drafts: list[_Draft] = []
        self.wide = 0

    def visit(self, position: int) -> None:
        """Take up one event if it writes or narrows a place that is wanted."""
        event = self.path.events[position]
        kind = event.operation.kind
        entered = self.path.events[position + 1].frame
        if kind in (Kind.ENTER, Kind.CALL) and entered == event.frame + 1:
            self._enter(position, entered)
        elif kind is Kind.EXIT and entered == event.frame - 1:
            self._leave(position, entered)
        for place in sorted(self.wanted):
            if place[0] == event.frame and writes(event.operation, place[1]):
                self._written(position, place)
            elif kind is Kind.CALL and place[1].startswith("fp") and event.printed(*place):
                self._filled(position, place)
        if kind is Kind.BRANCH:
            self._narrowed(position)
        elif kind is Kind.CALL:
            self._invalidated(position)

    # The arguments of a function are the caller's registers of the same name.
    def _enter(self, position: int, frame: int) -> None:
        event = self.path.events[position]
        for place in [p for p in self.wanted if p[0] == frame]:
            self.wanted.discard(place)
            if place[1] not in _ARGUMENTS:
                continue
            if event.operation.kind is Kind.CALL:  # a callback: the helper made it up
                passed = f"{place[1]} is what {event.operation.name}() passes"
                self._add(position, place, partial(str, passed))
            else:
                self._add(position, place, partial(str, f"{place[1]} is passed to the function"))
                self.wanted.add((event.frame, place[1]))

    def _leave(self, position: int, frame: int) -> None:
        if (frame, "R0") in self.wanted:
            self.wanted.discard((frame, "R0"))
            event = self.path.events[position]
            place = (event.frame, "R0")
            self._add(position, place, partial(str, "R0 is the function's result"))
            self.wanted.add((event.frame, "R0"))

    def _written(self, position: int, place: Place) -> None:
        event = self.path.events[position]
        frame, name = place
        operation = event.operation
        if operation.kind is Kind.ENTER:
            return
        self.wanted.discard(place)
        if operation.kind is Kind.COMPUTE and _is_wide(self._after(position, place)):
            self.wide += 1
        if self.wide <= _MOST_WIDE or operation.kind is not Kind.COMPUTE:
            self.wanted |= {(frame, source) for source in _origins(event, name)}
        if not self._changed_nothing(position, place):
            self._add(position, place, partial(self._sentence, position, place))

    def _changed_nothing(self, position: int, place: Place) -> bool:
        if self.path.events[position].operation.kind is not Kind.COMPUTE:
            return False
        before = self.path.value_before(position, *place)
        after = self._after(position, place)
        return before is not None and after is not None and plain(before) == plain(after)

    # A helper writes into a buffer on the stack, or makes a dynptr or an iterator of it.
    def _filled(self, position: int, place: Place) -> None:
        event = self.path.events[position]
        held = words.describe(event.printed(*place))
        text = f"{event.operation.name}() fills stack slot {place[1]}: {held}"
        self.wanted.discard(place)
        self._add(position, place, partial(str, text))

    def _sentence(self, position: int, place: Place) -> str:
        event = self.path.events[position]
        operation, name = event.operation, place[1]
        after = self._after(position, place)
        held = f": {words.describe(after)}" if after else ""
        if operation.kind is Kind.CALL:
            if name == "R0":
                return f"R0 is what {operation.name}() returned{held}"
            return f"{name} is lost: a call leaves nothing in R1-R5"
        if operation.kind is Kind.COPY:
            return f"{name} becomes a copy of {operation.sources[0]}{held}"
        if operation.kind is Kind.SET:
            return f"{name} is set{held}"
        if operation.kind is Kind.LOAD:
            return f"{name} {self._loaded(position, place)}{held}"
        if operation.kind is Kind.STORE:
            what = f"saves {operation.sources[0]}" if operation.sources else "is set"
            return f"stack slot {name} {what}{held}"
        return f"{name} changes{self._change(position, place)}"

    def _loaded(self, position: int, place: Place) -> str:
        operation = self.path.events[position].operation
        if operation.slot:
            return f"is read back from stack slot {operation.slot}"
        base = operation.base or (operation.sources[0] if operation.sources else "")
        pointer = self.path.value_before(position, place[0], base)
        where = words.pointer(pointer) if pointer and not pointer.is_scalar else base
        return (
            f"is loaded through {base} ({where})" if where != base else f"is loaded through {base}"
        )

    def _change(self, position: int, place: Place) -> str:
        before = self.path.value_before(position, *place)
        after = self._after(position, place)
        if before and after:
            return f" from {words.describe(before)} to {words.describe(after)}"
        return f": {words.describe(after)}" if after else ""

    # A branch is a step when it tests a wanted place, or the log shows that it changed one.
    def _narrowed(self, position: int) -> None:
        event = self.path.events[position]
        for place in sorted(self.wanted):
            after = event.printed(*place)
            tested = place[1] in event.operation.sources
            if place[0] != event.frame or (after is None and not tested):
                continue
            before = self.path.value_before(position, *place)
            changed = before is not None and after is not None and plain(before) != plain(after)
            if changed or tested:
                say = partial(self._branch, position, place, before, after)
                self._add(position, place, say)
                return

    def _branch(
        self, position: int, place: Place, before: Value | None, after: Value | None
    ) -> str:
        taken = self.path.taken(position)
        way = {True: "holds, jump", False: "does not hold, no jump", None: "is tested"}[taken]
        text = f"`{self.path.events[position].operation.condition}` {way}"
        if before and after and plain(before) != plain(after):
            return f"{text}: {place[1]} is now {words.describe(after)}"
        return text

    # Helpers that may move the packet void every pointer into it.
    def _invalidated(self, position: int) -> None:
        event = self.path.events[position]
        for place in sorted(self.wanted):
            after = event.printed(*place)
            before = self.path.value_before(position, *place) if after else None
            if before and after and before.base.startswith("pkt") and after.is_scalar:
                moved = f"{event.operation.name}() may move the packet: {place[1]} is void"
                self._add(position, place, partial(str, moved))

    def _after(self, position: int, place: Place) -> Value | None:
        after = self.path.value_after(position, *place)
        return after if after or position + 1 >= len(self.path.events) else None

    def _add(self, position: int, place: Place, say: Callable[[], str]) -> None:
        self.drafts.append((position, place, say))

    def step(self, draft: _Draft) -> Step:
        """Put a draft into words."""
        position, place, say = draft
        event = self.path.events[position]
        before = self.path.value_before(position, *place)
        after = event.printed(*place)
        return Step(event.line, event.index, event.text, say(), place[1], before, after)


def _is_wide(value: Value | None) -> bool:
    if value is None or not value.is_scalar or value.constant is not None:
        return False
    return value.range.umax - value.range.umin >= _WIDE


def plain(value: Value) -> str:
    """Return a value's text without the marks that mean nothing to a reader."""
    return re.sub(r"\bP(?=[a-z-]|\d)|(?<=inv)P", "", str(value))


def _origins(event: Event, name: str) -> tuple[str, ...]:
    operation = event.operation
    if operation.kind is Kind.LOAD:
        return (operation.slot,) if operation.slot else ()
    if operation.kind is Kind.STORE:
        slot_wide = operation.size == 8 and operation.offset % 8 == 0
        return operation.sources if slot_wide else (*operation.sources, name)
    if operation.kind in (Kind.COPY, Kind.COMPUTE):
        return tuple(source for source in operation.sources if source != STACK)
    return ()


def acquired(path: Path, index: int, reference: str) -> tuple[Step, ...]:
    """Tell where a reference was acquired and which branches were taken while it was held."""
    positions = [p for p, event in enumerate(path.events) if event.index == index]
    if not positions:
        return ()
    start = positions[-1]
    event = path.events[start]
    steps = [Step(event.line, event.index, event.text, f"reference {reference} is acquired")]
    return (*steps, *branches(path, start + 1))


def branches(path: Path, start: int) -> tuple[Step, ...]:
    """Tell which way the conditional branches went from a position on."""
    steps = []
    for position in range(start, len(path.events)):
        event = path.events[position]
        if event.operation.kind is Kind.BRANCH:
            taken = path.taken(position)
            way = {True: "holds, jump", False: "does not hold, no jump", None: "is tested"}[taken]
            text = f"`{event.operation.condition}` {way}"
            steps.append(Step(event.line, event.index, event.text, text))
    return tuple(steps)


def entered(path: Path, calls: str, what: str) -> tuple[Step, ...]:
    """Tell where a region (lock, RCU, preemption) was last entered, and the branches since."""
    for position in range(len(path.events) - 2, -1, -1):
        event = path.events[position]
        if event.operation.kind is Kind.CALL and re.search(calls, event.operation.name):
            step = Step(event.line, event.index, event.text, what)
            return (step, *branches(path, position + 1))
    return ()
