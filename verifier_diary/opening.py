"""Open the diary as every command does: what the journals have got since is imported first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from verifier_diary.errors import DiaryError
from verifier_diary.journal_files import Waiting, waiting
from verifier_diary.store import Store
from verifier_diary.terminal import Terminal


@contextmanager
def opened(terminal: Terminal) -> Iterator[Store]:
    """Open the diary, brought up to date.

    Where that is not possible (no space, another writer) it says so, and shows what is there.
    """
    with Store() as store:
        try:
            if files := waiting(store):
                _import(store, files, terminal)
        except (DiaryError, OSError) as problem:
            terminal.message(f"warning: the newest attempts are missing here: {problem}")
        yield store


def _import(store: Store, files: list[Waiting], terminal: Terminal) -> None:
    from verifier_diary.journal_import import import_file

    with terminal.progress("reading the journal", sum(f.size - f.start for f in files)) as advance:
        for file in files:
            for read in import_file(store, file, lambda text: terminal.message(f"warning: {text}")):
                advance(read)
