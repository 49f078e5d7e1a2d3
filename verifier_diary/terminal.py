"""Where the diary's commands put their data and what they say; `lab` fills it in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Record = Mapping[str, Any]


class Terminal(Protocol):
    """Stdout for data, stderr for the rest."""

    def write(self, rows: Sequence[Record] | None, head: Record, form: str) -> None:
        """Print records as json, jsonl or csv, or as a table; None: `head` is all there is."""

    def stream(self, rows: Iterable[Record], head: Record) -> None:
        """Print records as jsonl, each as soon as it comes."""

    def message(self, text: str) -> None:
        """Say something that is not data."""

    def progress(self, label: str, total: float) -> AbstractContextManager[Callable[[float], None]]:
        """Show a bar; call what it gives with the steps that were done since."""
