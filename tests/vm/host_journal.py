"""Loads that were tried in the guest, kept in this person's journal, so that the diary has them."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath

from verifier_diary import journal  # standard library only, as all that a host may have
from verifier_diary.ownership import make_directory, write_atomically

PREFIX = "vm-"  # of a file's name: it is the guest's, whatever day it names


def keep(name: str, content: str) -> None:
    """Write one file of the guest's journal (its text in base64); an older copy is replaced."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(f"the guest named a file outside its journal: {name}")
    path = journal.strangers().joinpath(*parts)
    if len(parts) == 1:
        path = path.with_name(PREFIX + path.name)
    make_directory(path.parent)
    write_atomically(path, base64.b64decode(content))
