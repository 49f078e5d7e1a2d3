"""See the loads that a loader repeats with a larger buffer or a log as the one load they are."""

from __future__ import annotations

import errno
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from verifier_diary.processes import Process
from verifier_diary.reassembly import Load

WINDOW_NS = 500_000_000  # a loader repeats at once; and what it says must not wait for longer
_LOOK_BACK = 16  # loads of the same program by the same process that are still open

# Not a verdict: the kernel was interrupted, and asks for the same load again.
_INTERRUPTED = {errno.EAGAIN, errno.EINTR}
# How older kernels say that they do not know what a newer attribute means.
_NOT_KNOWN = {errno.EINVAL, errno.E2BIG}


@dataclass(slots=True)
class Sighting:
    """One load as its loader meant it: the last try counts."""

    tries: list[Load]

    @property
    def first(self) -> Load:
        """Return the first try."""
        return self.tries[0]

    @property
    def last(self) -> Load:
        """Return the last try."""
        return self.tries[-1]

    @property
    def told(self) -> Load:
        """Return the try that says most: the last one with a log, else the last one."""
        return next((load for load in reversed(self.tries) if load.log.strip()), self.last)

    @property
    def code_sha256(self) -> str | None:
        """Return the hash of the instructions, from whichever try it is known."""
        return next((load.code_sha256 for load in self.tries if load.code_sha256), None)

    @property
    def process(self) -> Process:
        """Return the loader, as it was seen at whichever try."""
        return next((load.process for load in self.tries if load.process.argv), Process())

    @property
    def name(self) -> str:
        """Return the program's name; some loaders leave it out when they try again."""
        return next((load.name for load in self.tries if load.name), "")


class Retries:
    """Collects loads; gives out sightings that no further try can belong to."""

    def __init__(self, busy: Callable[[Load], bool], window_ns: int = WINDOW_NS) -> None:
        """Wait for `window_ns` after each try, and while `busy` says that one more is under way."""
        self._busy = busy
        self._window_ns = window_ns
        self._waiting: list[Sighting] = []
        self._open: dict[int, list[Sighting]] = defaultdict(list)  # by tgid

    def add(self, load: Load) -> None:
        """Take a load, in the order of the kernel."""
        for sighting in self._candidates(load):
            if self._follows(sighting.last, load) and continues(sighting.last, load):
                sighting.tries.append(load)
                return
        sighting = Sighting([load])
        self._waiting.append(sighting)
        self._open[load.tgid].append(sighting)

    def held_bytes(self) -> int:
        """Return how much log waits here."""
        return sum(len(load.log) for sighting in self._waiting for load in sighting.tries)

    def settled(self, now_ns: int) -> list[Sighting]:
        """Return what is over by now (CLOCK_MONOTONIC), oldest first."""
        over = [s for s in self._waiting if self._is_over(s, now_ns)]
        return self._released(over)

    def rest(self) -> list[Sighting]:
        """Return everything, over or not."""
        return self._released(self._waiting)

    # The same thread's first: then those of its process, which may have moved its work.
    def _candidates(self, load: Load) -> list[Sighting]:
        recent = self._open[load.tgid][: -_LOOK_BACK - 1 : -1]
        return sorted(recent, key=lambda sighting: sighting.last.tid != load.tid)

    def _follows(self, before: Load, after: Load) -> bool:
        return after.started_ns - before.time_ns <= self._window_ns

    def _is_over(self, sighting: Sighting, now_ns: int) -> bool:
        last = sighting.last
        if now_ns - last.time_ns < self._window_ns:
            return False
        return is_verdict(last) or not self._busy(last)

    def _released(self, over: list[Sighting]) -> list[Sighting]:
        gone = {id(sighting) for sighting in over}
        self._waiting = [s for s in self._waiting if id(s) not in gone]
        for tgid in {sighting.first.tgid for sighting in over}:
            left = [s for s in self._open[tgid] if id(s) not in gone]
            if left:
                self._open[tgid] = left
            else:
                del self._open[tgid]
        return [s for s in over if s.last.errno not in _INTERRUPTED]


def is_verdict(load: Load) -> bool:
    """Say whether a load says all that there is to say, so that nobody need repeat it."""
    return load.accepted or (bool(load.log) and load.errno != errno.ENOSPC)


def continues(before: Load, after: Load) -> bool:
    """Say whether a load is the same one again, tried in another way because it failed."""
    if before.accepted or not _same_program(before, after):
        return False
    same_way = (before.log_level, before.log_size) == (after.log_level, after.log_size)
    if before.errno in _INTERRUPTED:
        return same_way
    if before.errno == errno.ENOSPC:
        return after.log_size > before.log_size or not after.log_level
    if before.errno == errno.EPERM and same_way:
        return after.errno != errno.EPERM  # the loader raised its memory limit
    if before.errno in _NOT_KNOWN and same_way:
        return bool(before.name and not after.name)
    return after.log_level > before.log_level


def _same_program(before: Load, after: Load) -> bool:
    codes = before.code_sha256, after.code_sha256
    names = before.name, after.name
    return (
        before.tgid == after.tgid
        and before.type == after.type
        and before.instruction_count == after.instruction_count
        and (None in codes or codes[0] == codes[1])
        and ("" in names or names[0] == names[1])
    )
