"""The loop of a run: wait for the next tick, let the controller act, tell whoever wants to know."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from lab.controller import Controller, Tick
from lab.run.chronicle import Chronicle
from lab.run.live_datapath import Timed
from lab.run.look import Look, Typing
from lab.run.prompt import Keyboard, Prompt
from lab.run.wakeup import Source
from lab.run.watch import Interface
from simulator.policy import Policy


class Ending(Enum):
    """Why a run ended."""

    DURATION = "its time is over"
    INTERRUPTED = "interrupted"
    TOLD = "told to end"
    READER_GONE = "the reader has gone away"
    OUTPUT_FAILED = "the output failed"
    INTERFACE_GONE = "the interface is gone"


class Watched(Protocol):
    """The interface; `lab.run.watch.Watch`."""

    @property
    def interface(self) -> Interface:
        """Return what is known of it."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with news."""

    def news(self) -> list[str]:
        """Return what has happened."""

    def check(self) -> list[str]:
        """Return that it is gone, where it is."""


class Clock(Protocol):
    """Time, and waiting for it; `lab.run.wakeup.Wakeup`, or a simulated one."""

    signals: list[int]

    def now(self) -> int:
        """Return the time in ns."""

    def wait(self, until_ns: int) -> Sequence[Source]:
        """Wait for a moment, a signal, or something to read."""

    def remove(self, source: Source) -> None:
        """Wait for it no more."""


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Listeners:
    """Those who are told; none of them may keep the loop waiting."""

    look: Callable[[Look], None] = _nothing
    step: Callable[[Tick, dict[str, Any] | None], None] = _nothing
    news: Callable[[str], None] = _nothing
    ended: Callable[[], Ending | None] = lambda: None  # one of them has a reason to end
    stop: Callable[[], None] = _nothing  # Ctrl-Z: returns when the process goes on


class Loop:
    """Everything between attach and detach."""

    def __init__(
        self,
        datapath: Timed,
        policy: Policy,
        chronicle: Chronicle,
        clock: Clock,
        watched: Watched,
        listeners: Listeners,
        keyboard: Keyboard | None = None,
        duration_ns: int | None = None,
    ) -> None:
        """Start the controller when the chronicle began."""
        self.chronicle, self._clock, self._watched = chronicle, clock, watched
        self._to, self._keyboard = listeners, keyboard
        self._prompt = Prompt(chronicle.ask)
        self._tick_ns = policy.tick_ns
        self._start_ns = self._acted_ns = chronicle.start_ns
        self._next_ns = self._start_ns + policy.tick_ns
        self._end_ns = None if duration_ns is None else self._start_ns + duration_ns
        self._cpu_s = time.process_time()
        self.longest_gap_ns = 0  # between two ticks
        self.controller = Controller(
            datapath, policy, chronicle.on_epoch, self._start_ns, chronicle.on_tick
        )
        self._hand_over()

    def run(self) -> Ending:
        """Run until there is a reason to end."""
        while (ending := self._ending()) is None:
            for source in self._clock.wait(self._until()):
                self._hear(source)
            self._take_signals()
            now_ns = self._clock.now()
            if now_ns >= self._next_ns:
                self._act(now_ns)
        return ending

    def finish(self) -> None:
        """End the last epoch, after the detach: nothing will come after it."""
        self.controller.finish_epoch(self._clock.now())
        self._hand_over()

    @property
    def seconds(self) -> float:
        """Return how long the run has been going on."""
        return (self._clock.now() - self._start_ns) / 1e9

    def cpu_share(self) -> float | None:
        """Return the share of one processor that all of this process has used."""
        return (time.process_time() - self._cpu_s) / self.seconds if self.seconds else None

    def _until(self) -> int:
        return self._next_ns if self._end_ns is None else min(self._next_ns, self._end_ns)

    def _act(self, now_ns: int) -> None:
        self.longest_gap_ns = max(self.longest_gap_ns, now_ns - self._acted_ns)
        self._acted_ns = now_ns
        # Held up, it goes on from here: what was missed is not made up for.
        self._next_ns = now_ns + self._tick_ns - (now_ns - self._start_ns) % self._tick_ns
        epochs = self.chronicle.totals.epochs
        self.controller.advance(now_ns)
        if self.chronicle.totals.epochs > epochs:
            self._tell(self._watched.check())
            # The chronicle has them; a run may last for months.
            self.controller.log.clear()
            self.controller.switches.clear()
        self._hand_over()

    def _ending(self) -> Ending | None:
        if not self._watched.interface.present:
            return Ending.INTERFACE_GONE
        if self._clock.signals:
            interrupted = self._clock.signals[0] == signal.SIGINT
            return Ending.INTERRUPTED if interrupted else Ending.TOLD
        if self._prompt.quit:
            return Ending.TOLD
        if self._end_ns is not None and self._clock.now() >= self._end_ns:
            return Ending.DURATION
        return self._to.ended()

    def _hear(self, source: Source) -> None:
        if source is self._watched:
            self._tell(self._watched.news())
        elif self._keyboard and source is self._keyboard:
            typed = self._keyboard.read()
            if not typed:  # the terminal is gone
                self._clock.remove(source)
                self._keyboard = None
            self._prompt.type(typed)
        self._show()

    def _take_signals(self) -> None:
        while signal.SIGTSTP in self._clock.signals:
            self._clock.signals.remove(signal.SIGTSTP)
            self._to.stop()

    def _tell(self, news: Sequence[str]) -> None:
        for text in news:
            self.chronicle.tell(text)
            self._to.news(text)

    def _hand_over(self) -> None:
        steps, self.chronicle.steps = self.chronicle.steps, []
        for tick, epoch in steps:
            self._to.step(tick, epoch)
        self._show()

    def _show(self) -> None:
        typing = Typing(self._prompt.text, self._prompt.problem) if self._keyboard else None
        interface, epoch_ns = self._watched.interface, self.controller.epoch_ns
        self._to.look(self.chronicle.look(interface, epoch_ns, typing))
