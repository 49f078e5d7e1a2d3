"""Run a command while it is watched: signals reach it, its end is waited for, its code returned."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from types import FrameType

from verifier_diary.errors import DiaryError

GRACE_S = 2.0  # for a command that the terminal has interrupted too
PATIENCE_S = 5.0  # for one that was asked to end


class CommandMissing(DiaryError):
    """The command to watch cannot be run."""

    exit_code = 2


class Signals:
    """Counts SIGINT and SIGTERM, instead of raising from whatever is being done.

    An exception would be lost in the recorder's callback, which C code calls.
    """

    def __init__(self) -> None:
        """Start at none."""
        self.interrupts = 0
        self.terminated = False

    @property
    def came(self) -> bool:
        """Say whether it is time to end."""
        return self.terminated or self.interrupts > 0

    @contextlib.contextmanager
    def counted(self) -> Iterator[Signals]:
        """Count within a block."""
        before = {n: signal.signal(n, self._count) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _count(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGTERM:
            self.terminated = True
        else:
            self.interrupts += 1


class Command:
    """A command at work; a context manager that does not leave it behind."""

    def __init__(self, words: Sequence[str], signals: Signals) -> None:
        """Start it; raises CommandMissing."""
        try:
            self._process = subprocess.Popen(list(words))
        except OSError as error:
            raise missing(words, error.strerror or str(error)) from error
        self._signals = signals
        self._asked_at: float | None = None
        self._forwarded = False

    def __enter__(self) -> Command:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End it if it still runs."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def running(self) -> bool:
        """Say whether it runs; hands on signals that it may not have got."""
        if self._process.poll() is not None:
            return False
        if self._signals.came:
            return self._wait_for_end()
        return True

    @property
    def code(self) -> int:
        """Return the exit code, as a shell has it: 128 and the number of the signal."""
        code = self._process.returncode
        return code if code >= 0 else 128 - code

    # A terminal interrupts the whole group; `kill` only us.
    def _wait_for_end(self) -> bool:
        if self._signals.terminated or self._signals.interrupts > 1:
            return False  # leaving ends it
        now = time.monotonic()
        self._asked_at = self._asked_at or now
        if now - self._asked_at > GRACE_S and not self._forwarded:
            self._forwarded = True
            self._process.send_signal(signal.SIGINT)
        return now - self._asked_at < GRACE_S + PATIENCE_S


def check(words: Sequence[str]) -> None:
    """Raise CommandMissing for what cannot be run, before anything takes time."""
    if shutil.which(words[0]) is None:
        raise missing(words, "there is no such program")


def missing(words: Sequence[str], why: str) -> CommandMissing:
    """Say that a command cannot be run."""
    return CommandMissing(
        f"cannot run {words[0]}: {why}", try_="lab diary watch -- COMMAND [ARGUMENTS]"
    )
