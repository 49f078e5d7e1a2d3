"""What a run prints: records as they come, or tables at its end; never waited for until then."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lab.output import Format
from lab.run.forms import FORMS
from lab.run.outlet import Outlet

Record = Mapping[str, Any]


class Printer(Protocol):
    """Takes the run's records."""

    dropped: int  # epochs that the reader was too slow for

    def begin(self, metadata: Record) -> None:
        """Take what comes before the first epoch."""

    def epoch(self, record: Record) -> None:
        """Take an epoch."""

    def end(self, summary: Record, give_up: Callable[[], object]) -> None:
        """Take the summary, and wait for the reader unless `give_up` says so."""

    @property
    def error(self) -> OSError | None:
        """Return why nothing more can be printed."""


def printer(form: Format) -> Printer:
    """Return the printer of a format, on stdout."""
    return AtTheEnd() if form is Format.TABLE else AsTheyCome(form, Outlet(sys.stdout.fileno()))


class AsTheyCome:
    """Prints each record at once; one that finds no room is counted in the next that does."""

    def __init__(self, form: Format, outlet: Outlet) -> None:
        """Print to an outlet."""
        self._form, self._outlet = FORMS[form](), outlet
        self.dropped = 0

    @property
    def error(self) -> OSError | None:
        """Return why nothing more can be printed."""
        return self._outlet.error

    def begin(self, metadata: Record) -> None:
        """Print the metadata."""
        self._outlet.put(self._form.begin(metadata))

    def epoch(self, record: Record) -> None:
        """Print an epoch, or count it as dropped."""
        if self._outlet.full:
            self.dropped += 1
        else:
            self._outlet.put(self._form.epoch({**record, "records_dropped": self.dropped}))

    def end(self, summary: Record, give_up: Callable[[], object]) -> None:
        """Print the summary and wait for the reader."""
        self._outlet.put(self._form.end(summary))
        self._outlet.finish(give_up)


class AtTheEnd:
    """Prints tables when the run is over."""

    def __init__(self) -> None:
        """Begin without an epoch."""
        self.dropped = 0
        self.error: OSError | None = None
        self._last: Record | None = None

    def begin(self, metadata: Record) -> None:
        """Print nothing."""

    def epoch(self, record: Record) -> None:
        """Keep the latest one that is not just a rest."""
        if self._last is None or _seconds(record) > _seconds(self._last) / 2:
            self._last = record

    def end(self, summary: Record, give_up: Callable[[], object]) -> None:
        """Print the tables."""
        from lab.run.tables import print_tables

        print_tables(summary, self._last)


def _seconds(record: Record) -> float:
    return float(record["end_s"] - record["begin_s"])
