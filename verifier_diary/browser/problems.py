"""Problems with the diary while it is read: told on the screen, which stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from textual.widget import Widget

from verifier_diary.errors import DiaryError


@contextmanager
def telling(widget: Widget, once: Callable[[], object] | None = None) -> Iterator[None]:
    """Show a DiaryError as a notification; `once` is called then, to stop what would repeat it."""
    try:
        yield
    except DiaryError as problem:
        if once:
            once()
        advice = f"\ntry: {problem.try_}" if problem.try_ else ""
        widget.notify(f"{problem}{advice}", severity="error", timeout=15, markup=False)
