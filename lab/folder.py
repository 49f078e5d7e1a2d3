"""The folder that a command's --out names."""

from __future__ import annotations

from pathlib import Path

from lab.errors import UsageError_
from verifier_diary.ownership import make_directory


def make_folder(out: str | Path) -> Path:
    """Make the folder before there is anything to lose; raises UsageError_."""
    folder = Path(out)
    try:
        make_directory(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        what = (error.strerror or "no reason given").lower()
        raise UsageError_(f"cannot make {folder}: {what}", try_="another --out DIR") from error
    return folder
