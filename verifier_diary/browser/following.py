"""What comes into the diary while it is browsed: from other processes, and from the journals."""

from __future__ import annotations

from collections.abc import Callable

from verifier_diary.journal_files import Waiting, waiting
from verifier_diary.store import Store

LOOK_S = 1.0  # how often to look; it costs a few stat() and one PRAGMA


class Following:
    """Sees what has changed since it looked last."""

    def __init__(self, store: Store, *, journals: bool) -> None:
        """Begin now; `journals` says whether what they get belongs in this diary."""
        self._store = store
        self._journals = journals
        self._version = self._data_version()

    def changed(self) -> bool:
        """Say whether another connection has written into the diary since."""
        version = self._data_version()
        before, self._version = self._version, version
        return version != before

    def waiting(self) -> list[Waiting]:
        """Return the journals' files that have something new."""
        return waiting(self._store) if self._journals else []

    # Changes with every commit of another connection, and costs one read of shared memory.
    def _data_version(self) -> int:
        row = self._store.row("PRAGMA data_version")
        return int(row[0]) if row else 0


def bring_in(store: Store, files: list[Waiting], complain: Callable[[str], None]) -> None:
    """Import what is new, with a connection of its own: for a thread. Raises DiaryError."""
    from verifier_diary.journal_import import import_file

    with Store(store.path) as own:
        for file in files:
            for _ in import_file(own, file, complain):
                pass
