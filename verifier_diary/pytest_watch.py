"""The flight recorder around a test run: a thread that finds the test of each load."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from verifier_diary.flight_recorder import FlightRecorder
from verifier_diary.own_records import OwnRecord
from verifier_diary.recorded import Recorded
from verifier_diary.watching import Append, Watching

LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Phase:
    """When a process ran a part of a test; CLOCK_MONOTONIC."""

    test: str  # node id
    pid: int
    start_ns: int
    stop_ns: int


class Watch:
    """Records the process tree of a test run from its start to its stop."""

    def __init__(self, append: Append) -> None:
        """Start; raises RecorderForbidden or RecorderUnavailable."""
        self._recorder = FlightRecorder(tree=True)
        self._watching = Watching(self._recorder, append)
        self._lock = threading.Lock()
        self._phases: dict[int, list[Phase]] = defaultdict(list)
        self._held: list[Recorded] = []
        self._over = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="flight recorder", daemon=True)
        self._thread.start()

    def phase(self, phase: Phase, own: Iterable[OwnRecord]) -> None:
        """Learn that a part of a test is over, and what it has written to the journal itself."""
        with self._lock:
            self._phases[phase.pid].append(phase)
            for record in own:
                self._watching.own_records.note(record)

    def stop(self) -> str:
        """End, and say in one line what was seen; a second call would fail."""
        self._over.set()
        self._thread.join()
        try:
            for one in (*self._held, *self._watching.rest()):
                self._watching.keep(self._attributed(one) or one)
            summary = self._watching.summary()
        finally:
            self._recorder.close()
        return f"{summary}; it failed: {self._problem}" if self._problem else summary

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                new = self._watching.poll(LOOK_S)
                with self._lock:
                    self._held = [one for one in (*self._held, *new) if not self._settled(one)]
        except Exception as error:  # to be said at the end; nobody would see a thread die
            self._problem = error

    # Until its test has reported, nobody knows which one a load of the test process belongs to.
    def _settled(self, one: Recorded) -> bool:
        known = self._attributed(one)
        if known is None:
            return False
        self._watching.keep(known)
        return True

    # What the environment says is of the test that started the process: for a process that runs
    # tests itself, that is another one.
    def _attributed(self, one: Recorded) -> Recorded | None:
        origin = one.attempt.origin
        phases = self._phases.get(origin.pid or 0)
        if phases is None:
            return one if origin.test and origin.pid != os.getpid() else None
        for phase in reversed(phases):
            if phase.start_ns <= one.time_ns <= phase.stop_ns:
                attempt = replace(one.attempt, origin=replace(origin, test=phase.test))
                return replace(one, attempt=attempt)
        return None
