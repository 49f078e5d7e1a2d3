"""The live view, on a terminal of its own: what it shows, and what may be typed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import termios
import threading
from collections.abc import Iterator

import pytest

from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A `lab run` on a pseudo-terminal of 100 columns and 40 lines."""

    def __init__(self, interface: str, *arguments: str) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(namespaces.ROOT)
            os.environ |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
            os.environ["PYTHONPATH"] = str(namespaces.ROOT)
            os.execv(live.LAB[0], [*live.LAB, "run", interface, *arguments])
        self.shown = ""
        self._status: int | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait_for(self, words: str) -> None:
        namespaces.wait_until(
            lambda: words in self.text or not self._reader.is_alive(), f"it shows {words!r}"
        )
        assert words in self.text, self.text[-3000:]

    @property
    def text(self) -> str:
        """Return all that was shown so far, without colours."""
        return _CODES.sub("", self.shown)

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def ended(self) -> int:
        self._reader.join(namespaces.DEADLINE_S)
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(self._status)

    def close(self) -> None:
        if self._status is None:
            self.signal(signal.SIGKILL)
            self.signal(signal.SIGCONT)
            self.ended()
        os.close(self._master)

    def _read(self) -> None:
        while True:
            select.select([self._master], [], [])
            try:
                data = os.read(self._master, 65536)
            except OSError:  # EIO: the other end is closed
                return
            self.shown += data.decode("utf-8", "replace")


@pytest.fixture
def terminal(left: str) -> Iterator[Terminal]:
    terminal = Terminal(left, "--threshold", "10", "--epoch", "0.5")
    try:
        yield terminal
    finally:
        terminal.close()


def test_view_shows_the_run_and_a_trip(terminal: Terminal) -> None:
    terminal.wait_for("HIGH DETAIL")
    for word in ("left  native XDP  key src", "packets/s", "exact table", "light part", "ledger"):
        terminal.wait_for(word)
    for source in range(40):
        live.send("right", 1, source=source)
    terminal.wait_for("LOW DETAIL")
    terminal.wait_for("low detail: budget spent")
    terminal.signal(signal.SIGINT)
    assert terminal.ended() == 130


def test_key_that_is_typed_is_counted(terminal: Terminal) -> None:
    terminal.wait_for("type a key to ask for its count")
    terminal.type("10.0.0.7\n")
    terminal.wait_for("asked for")
    live.send("right", 5, source=7)
    counted = re.compile(r"10\.0\.0\.7 +5 +exact")
    namespaces.wait_until(lambda: counted.search(terminal.text), "its packets are counted")
    terminal.type("q")
    assert terminal.ended() == 0


def test_what_is_no_key_is_told(terminal: Terminal) -> None:
    terminal.wait_for("query>")
    terminal.type("nowhere\n")
    terminal.wait_for("'nowhere' is no src key")
    terminal.type("q")
    assert terminal.ended() == 0


def test_terminal_is_given_back_as_it_was(terminal: Terminal) -> None:
    assert terminal.echoes
    terminal.wait_for("query>")
    assert not terminal.echoes
    terminal.type("q")
    terminal.wait_for("detached from left")
    assert "Packets" in terminal.text  # the tables at the end
    assert terminal.ended() == 0
    assert "\x1b[?1049l" in terminal.shown  # back from the alternate screen


def test_stopped_by_the_keyboard_it_gives_the_screen_back_and_goes_on(terminal: Terminal) -> None:
    terminal.wait_for("query>")
    terminal.type("\x1a")  # Ctrl-Z
    namespaces.wait_until(lambda: "\x1b[?1049l" in terminal.shown, "the screen is given back")
    namespaces.wait_until(lambda: terminal.echoes, "the keyboard is given back")
    terminal.signal(signal.SIGCONT)
    namespaces.wait_until(lambda: terminal.shown.count("\x1b[?1049h") == 2, "it takes it again")
    terminal.type("q")
    assert terminal.ended() == 0


def test_terminal_that_goes_away_ends_the_run(left: str) -> None:
    terminal = Terminal(left)
    try:
        terminal.wait_for("query>")
        terminal.signal(signal.SIGHUP)
        assert terminal.ended() == 0
        assert live.attached(left) == []
    finally:
        terminal.close()
