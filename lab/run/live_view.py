"""The live view: a thread that draws the newest look on the terminal, and is never waited for."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from lab.run.look import Latest, Look
from lab.run.view import About, picture
from simulator.layout import Detail

REFRESH_S = 0.25  # a picture takes about 5 ms; a switch, or a key typed, is shown at once
LOOK_S = 0.5  # how often the thread sees whether it is to end


class LiveView:
    """Draws until it is closed; a context manager."""

    def __init__(self, latest: Latest, about: About) -> None:
        """Draw looks of `latest`."""
        self._latest, self._about = latest, about
        self._end = threading.Event()
        self._drawing = threading.Lock()
        self._live: Any = None
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)

    def __enter__(self) -> LiveView:
        """Take the screen."""
        self.resume()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the screen back; a terminal that takes nothing more is left as it is."""
        self._end.set()
        self._thread.join(LOOK_S + REFRESH_S)
        if not self._thread.is_alive():
            self.pause()

    def pause(self) -> None:
        """Give the screen back for a while."""
        with self._drawing:
            if self._live:
                self._live.stop()
                self._live = None

    def resume(self) -> None:
        """Take the screen again."""
        from rich.live import Live

        with self._drawing:
            if self._live is None:
                self._live = Live(auto_refresh=False, screen=True, redirect_stderr=False)
                self._live.start()

    def _run(self) -> None:
        number, shown, drawn_s = 0, None, 0.0
        while not self._end.is_set():
            number, look = self._latest.wait(number, LOOK_S)
            fresh = time.monotonic() - drawn_s < REFRESH_S
            if look is None or (fresh and not _urgent(shown, look)):
                continue
            drawn_s, shown = time.monotonic(), look
            with self._drawing:
                if self._live:
                    self._live.update(picture(look, self._about), refresh=True)


def _urgent(shown: Look | None, look: Look) -> bool:
    return shown is None or _state(shown) != _state(look)


def _state(look: Look) -> tuple[Detail, object, object, int]:
    return look.detail, look.typing, look.answers, len(look.news)
