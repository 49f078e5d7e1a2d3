"""The loads that a test process writes to the journal itself: counted, and told to whoever sums."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from verifier_diary import journal
from verifier_diary.model import Attempt
from verifier_diary.own_records import OwnRecord

Told = list[Any]  # what pytest-xdist can carry: pid, function, hash, accepted, expected, journal


class OwnLoads:
    """Listens to the journal's writer in this process, from `begin` to `end`."""

    def __init__(self) -> None:
        """Do nothing yet; `append` is the writer without the listener."""
        self.append = journal.append
        self._told: list[Told] = []

    def begin(self) -> None:
        """Listen."""
        self.append = journal.append
        journal.append = self._listening

    def end(self) -> None:
        """Stop listening."""
        journal.append = self.append

    def take(self) -> list[Told]:
        """Return what was heard since the last call."""
        told, self._told = self._told, []
        return told

    def _listening(self, attempt: Attempt, where: Path | None = None) -> Path | None:
        path = self.append(attempt, where)
        folder = str(path.parent) if path else None
        self._told.append(
            [
                os.getpid(),
                attempt.program.function,
                attempt.instructions_sha256,
                attempt.accepted,
                attempt.expected,
                folder,
            ]
        )
        return path


class Tally:
    """What all processes of a test run told."""

    def __init__(self) -> None:
        """Start at none."""
        self.accepted = self.rejected = self.expected = self.unwritten = 0
        self.folders: Counter[str] = Counter()

    def add(self, told: Iterable[Told]) -> list[OwnRecord]:
        """Count; returns what the flight recorder need not write again."""
        records = []
        for pid, function, code, accepted, expected, folder in told:
            self.accepted += accepted
            self.rejected += not accepted
            self.expected += expected and not accepted
            self.unwritten += folder is None
            if folder:
                self.folders[folder] += 1
            records.append(OwnRecord(pid, function, code, accepted))
        return records

    def summary(self) -> str:
        """Say in one line how much was loaded, and where it is written down."""
        rejected = f"{self.rejected:,} rejected"
        if self.expected:
            rejected += f" ({self.expected:,} of them expected)"
        parts = [f"{self.accepted:,} accepted", rejected]
        if self.unwritten:
            parts.append(f"{self.unwritten:,} not written")
        return f"{', '.join(parts)}; journal: {self._where()}"

    # A test may choose a journal of its own.
    def _where(self) -> str:
        if not self.folders:
            return str(journal.directory())
        [(first, _)] = self.folders.most_common(1)
        others = len(self.folders) - 1
        return f"{first}{f' and {others:,} more' if others else ''}"
