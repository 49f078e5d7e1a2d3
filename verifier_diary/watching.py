"""Watch with the flight recorder: what it saw goes to the journal, once, and to the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from verifier_diary import journal
from verifier_diary.flight_recorder import FlightRecorder
from verifier_diary.model import Attempt
from verifier_diary.own_records import OwnRecords
from verifier_diary.recorded import Outcome, Recorded

Append = Callable[[Attempt, Path | None], Path | None]

_JUDGED = (Outcome.REJECTED, Outcome.ACCEPTED)  # what says something about a program


class Watching:
    """A recorder at work, and the account of what it brought."""

    def __init__(self, recorder: FlightRecorder, append: Append = journal.append) -> None:
        """Write to the person's journal; what the lab loads is in its own already."""
        self._recorder = recorder
        self._append = append
        self.folder = journal.strangers()
        self.own_records = OwnRecords(journal.directory())
        self.seen: Counter[Outcome] = Counter()
        self.cut = 0  # rejections whose log is not whole
        self.unwritten = 0  # attempts that the journal could not take

    @property
    def lost(self) -> int:
        """Return how many failed loads found no room in the ring, or could not be read."""
        return self._recorder.counts.lost + self._recorder.damaged

    def poll(self, timeout_s: float) -> list[Recorded]:
        """Wait at most that long, and return what is new, for `keep`."""
        return self._recorder.poll(timeout_s)

    def rest(self) -> list[Recorded]:
        """Return what is left, without waiting for further tries, for `keep`."""
        return self._recorder.rest()

    def keep(self, one: Recorded) -> None:
        """Count a load, and write it to the journal unless its loader did so itself."""
        self._recorder.drain()
        self.seen[one.outcome] += 1
        self.cut += one.outcome is Outcome.REJECTED and one.attempt.truncated
        if one.outcome not in _JUDGED or self.own_records.claim(one.attempt):
            return
        self.own_records.ours(one.attempt)
        self.unwritten += self._append(one.attempt, self.folder) is None

    def account(self) -> dict[str, int]:
        """Return the numbers, for a summary."""
        return {
            "rejected": self.seen[Outcome.REJECTED],
            "accepted": self.seen[Outcome.ACCEPTED],
            "without_permission": self.seen[Outcome.PERMISSION],
            "not_judged": self.seen[Outcome.LOG],
            "logs_not_whole": self.cut,
            "lost": self.lost,
            "unwritten": self.unwritten,
        }

    def summary(self) -> str:
        """Say in one line what was seen, lost, and where it is."""
        seen = self.seen
        parts = [_counted(seen[Outcome.REJECTED], "rejection")]
        if seen[Outcome.ACCEPTED]:
            parts.append(f"{_counted(seen[Outcome.ACCEPTED], 'cure')} (accepted after a rejection)")
        if seen[Outcome.PERMISSION]:
            parts.append(f"{seen[Outcome.PERMISSION]:,} without permission (not in the journal)")
        if seen[Outcome.LOG]:
            parts.append(f"{seen[Outcome.LOG]:,} with a log too large for its buffer (not judged)")
        if self.cut:
            parts.append(f"{_counted(self.cut, 'log')} not whole")
        parts.append(f"{self.lost:,} lost")
        return f"{', '.join(parts)}; journal: {self.folder}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
