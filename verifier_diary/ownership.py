"""Keep files the invoking person's own when the lab runs under sudo."""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path


def inherit_owner(path: Path) -> None:
    """Give a new file or directory, when made by root, to the owner of its parent directory."""
    if os.geteuid() != 0:
        return
    parent = path.parent.stat()
    with contextlib.suppress(OSError):  # a file system without owners (vfat, some 9p shares)
        os.chown(path, parent.st_uid, parent.st_gid, follow_symlinks=False)


def make_directory(path: Path) -> None:
    """Create a directory and its missing parents, each owned as its own parent is."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for directory in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was faster
            directory.mkdir()
            inherit_owner(directory)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or none, through a sibling that is renamed over it."""
    sibling = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        sibling.write_bytes(data)
        inherit_owner(sibling)
        sibling.replace(path)
    except BaseException:
        sibling.unlink(missing_ok=True)
        raise


def invoking_home() -> Path:
    """Return the home of the person at the keyboard: under sudo, not root's."""
    uid = os.environ.get("SUDO_UID")
    if os.geteuid() == 0 and uid is not None and uid.isdigit():
        with contextlib.suppress(KeyError):
            return Path(pwd.getpwuid(int(uid)).pw_dir)
    return Path.home()


def state_directory() -> Path:
    """Return the person's XDG state directory of this project (not created)."""
    base = os.environ.get("XDG_STATE_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "glimpse"
    return invoking_home() / ".local" / "state" / "glimpse"
