"""A digest of the tree, computed alike on the host and in the guest: `python3 tree.py DIRECTORY`.

Standard library only; runs in the guest before anything is installed there.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Made by tools and never synced; the Vagrantfile excludes the same names, and a test compares.
LEFT_OUT = frozenset(
    {
        ".git",
        ".venv",
        ".vagrant",
        "build",
        ".hypothesis",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "__pycache__",
        "demo-report",
        "eval-report",
        "site",
    }
)


def digest(root: Path) -> str:
    """Return the SHA-256 of all names and contents below `root`, in hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(_files(root)):
        total.update(f"{path.relative_to(root).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


# A symbolic link to a file arrives as a copy of it (rsync --copy-links), so it is read as one.
def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not _left_out(name)]
        for name in files:
            path = Path(folder, name)
            if not _left_out(name) and path.is_file():
                yield path


def _left_out(name: str) -> bool:
    return name in LEFT_OUT or name.endswith((".egg-info", ".pyc"))


if __name__ == "__main__":
    print(digest(Path(sys.argv[1])))
