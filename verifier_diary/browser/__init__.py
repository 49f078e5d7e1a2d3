"""The diary's browser in the terminal; textual is imported when it opens, for it is an extra."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from verifier_diary.opening import opened
from verifier_diary.store import Store
from verifier_diary.store_errors import DiaryUnusable
from verifier_diary.terminal import Terminal


def browse(terminal: Terminal) -> None:
    """Open the browser on the person's diary, brought up to date; raises DiaryError."""
    _need_textual()
    with opened(terminal) as store:
        _run(store, journals=True)


def run(path: Path) -> None:
    """Open the browser on a diary's file, as it is; raises DiaryError."""
    _need_textual()
    with Store(path) as store:
        _run(store, journals=False)


def _run(store: Store, *, journals: bool) -> None:
    from verifier_diary.browser.app import Browser

    Browser(store, journals=journals).run()


def _need_textual() -> None:
    if find_spec("textual") is None:
        raise DiaryUnusable(
            "textual, which the diary's browser is drawn with, is not installed; "
            "`lab diary list` and `lab diary show` do without",
            try_="pip install 'glimpse-ebpf[terminal]'",
        )
