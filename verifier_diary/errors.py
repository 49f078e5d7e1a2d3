"""The one root of what the diary raises; `lab.cli` prints it as `error:` and `try:`."""

from __future__ import annotations

from typing import ClassVar


class DiaryError(Exception):
    """The diary could not do what it was asked to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, try_: str | None = None) -> None:
        """Say what went wrong and where, and what the reader can do about it."""
        super().__init__(message)
        self.try_ = try_
