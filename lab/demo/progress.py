"""How far the demo is, on stderr: a line per phase, and a moving one on a terminal."""

from __future__ import annotations

import signal
import sys
from types import TracebackType
from typing import Any

from lab.demo.recording import Sample
from lab.demo.scenario import Flood, Phase
from lab.output import message
from simulator.policy import SECOND_NS


class Display:
    """Tells a person what happens; a context manager."""

    def __init__(self, seconds: int) -> None:
        """Expect a run of so many seconds."""
        self._seconds = seconds
        self._bar: Any = None
        self._first: Sample | None = None
        self._before: Sample | None = None

    def __enter__(self) -> Display:
        """Begin; off a terminal nothing moves."""
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task("preparing", total=self._seconds)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, and clear the moving line."""
        if self._bar:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Tell one thing."""
        if self._bar:
            self._bar.console.print(text, highlight=False)
        else:
            message(text)

    def phase(self, phase: Phase, how: str) -> None:
        """Tell that a phase begins, and how its packets come."""
        stream = phase.stream
        whose = ""
        if isinstance(stream, Flood):
            whose = f"from {stream.new:,} new sources "
        self.say(
            f"{phase.name}: {phase.epochs} s, {phase.packets:,} packets {whose}"
            f"at {phase.rate:,.0f} packets/s, {how}"
        )

    def stopped(self, number: int) -> None:
        """Tell that a signal ended the run early."""
        self.say(f"{signal.Signals(number).name}: ending here, with the report so far")

    def sample(self, sample: Sample) -> None:
        """Show a look at the data path."""
        before, self._before = self._before or sample, sample
        self._first = self._first or sample
        if not self._bar:
            return
        elapsed = (sample.time_ns - before.time_ns) / SECOND_NS
        rate = (sample.seen - before.seen) / elapsed if elapsed else 0.0
        self._bar.update(
            self._task,
            completed=(sample.time_ns - self._first.time_ns) / SECOND_NS,
            description=f"{sample.detail.name.lower()} detail, {rate:,.0f} packets/s",
        )


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True), transient=True)
