"""Loads that were tried in the guest, kept in this person's journal, so that the diary has them."""

from __future__ import annotations

import base64
import os
from pathlib import Path, PurePosixPath

PREFIX = "vm-"  # of a file's name: it is the guest's, whatever day it names


def folder() -> Path:
    """Return the journal of this person's own: verifier_diary.journal.strangers, without it."""
    chosen = os.environ.get("GLIMPSE_JOURNAL")
    if chosen:
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "glimpse" / "journal"


def keep(name: str, content: str) -> None:
    """Write one file of the guest's journal (its text in base64); an older copy is replaced."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(f"the guest named a file outside its journal: {name}")
    path = folder().joinpath(*parts)
    if len(parts) == 1:
        path = path.with_name(PREFIX + path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(content))
