"""Record every program load that fails, of any process on the machine or of one's own tree.

A BCC program on the tracepoints of the system call bpf() (flight_recorder.c) copies instructions
and log out of the loader's own memory when the call returns. Not seen: the calls of 32-bit programs
on a 64-bit kernel, for which it has no tracepoints.
"""

from __future__ import annotations

import errno
import time
from dataclasses import replace
from types import TracebackType

from verifier_diary import recorder_events
from verifier_diary.processes import may_load, process
from verifier_diary.reassembly import Load, Reassembly
from verifier_diary.recorded import Outcome, Recorded, recorded
from verifier_diary.recorder_program import Counts, RecorderProgram
from verifier_diary.retries import WINDOW_NS, Retries, Sighting

HELD_BYTES = 512 * 1024 * 1024  # of logs that wait for further tries


class FlightRecorder:
    """Records from its start to its close; `poll` must be called often, by one thread."""

    def __init__(self, *, tree: bool = False, window_ns: int = WINDOW_NS) -> None:
        """Start to record; `tree` watches this process and those it starts from now on only.

        Raises RecorderForbidden or RecorderUnavailable.
        """
        self.damaged = 0  # events that could not be read: a bug of the recorder
        self._reassembly = Reassembly()
        self._retries = Retries(self._is_repeating, window_ns)
        self._rejected: set[tuple[str, str, str]] = set()
        self._program = RecorderProgram(self._receive, tree=tree)

    def __enter__(self) -> FlightRecorder:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.close()

    def close(self) -> None:
        """Stop; a second call does nothing."""
        self._program.close()

    def poll(self, timeout_s: float) -> list[Recorded]:
        """Wait at most that long for events; returns what nobody will try again."""
        self._program.poll(timeout_s)
        return self._judged(self._retries.settled(time.monotonic_ns()))

    def rest(self) -> list[Recorded]:
        """Return everything that is left, at the end."""
        self._program.consume()
        return self._judged(self._retries.rest())

    def drain(self) -> None:
        """Make room in the ring while its events are worked on; only so much is kept in memory."""
        if self._retries.held_bytes() < HELD_BYTES:
            self._program.consume()

    @property
    def counts(self) -> Counts:
        """Return what the kernel has counted so far."""
        return self._program.counts

    # Called from C, through which no exception passes.
    def _receive(self, data: bytes) -> None:
        try:
            load = self._reassembly.feed(recorder_events.parse(data))
        except ValueError:
            self.damaged += 1
            return
        if load is not None:
            self._retries.add(load if load.accepted else self._looked_at(load))

    # At once: bpftool is gone a moment later.
    def _looked_at(self, load: Load) -> Load:
        if not self._program.numbers_are_ours:
            return load
        if not load.process.argv:
            load = replace(load, process=process(load.tgid))
        if load.errno == errno.EPERM:
            load = replace(load, may_load=may_load(load.tgid))
        return load

    def _judged(self, sightings: list[Sighting]) -> list[Recorded]:
        judged = []
        for sighting in sightings:
            self.drain()
            one = recorded(sighting)
            if self._is_news(one):
                judged.append(one)
        return judged

    # Of the accepted programs only those that were rejected before: their cures.
    def _is_news(self, one: Recorded) -> bool:
        program, comm = one.attempt.program, one.attempt.origin.comm or ""
        identity = comm, program.type or "", program.function
        if one.outcome is Outcome.ACCEPTED:
            return identity in self._rejected
        if one.outcome is Outcome.REJECTED:
            self._rejected.add(identity)
        return True

    # Whether the process has begun another load right after this one.
    def _is_repeating(self, load: Load) -> bool:
        return any(
            other.thread >> 32 == load.tgid and 0 <= other.since_ns - load.time_ns <= WINDOW_NS
            for other in self._program.under_way()
        )
