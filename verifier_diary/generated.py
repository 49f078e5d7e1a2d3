"""Folders of generated files: written where they changed, and old ones taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from verifier_diary.ownership import make_directory, write_atomically
from verifier_diary.scrub import repository


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one file."""

    file: str
    change: str  # new, changed or removed


def default(folder: str) -> Path:
    """Return a folder of the checkout; outside of one, of the working directory."""
    return (repository() or Path()) / folder


def write_folder(
    folder: Path, files: Mapping[str, str], is_ours: Callable[[str], bool]
) -> list[Change]:
    """Make a folder hold these files; of the others only what `is_ours` (a text) is removed."""
    changes = [change for name, text in files.items() if (change := _write(folder, name, text))]
    return sorted((*changes, *_remove(folder, files, is_ours)), key=lambda change: change.file)


def _write(folder: Path, name: str, text: str) -> Change | None:
    path, data = folder / name, text.encode("utf-8", "replace")
    existed = path.exists()
    if existed and path.read_bytes() == data:
        return None
    make_directory(path.parent)
    write_atomically(path, data)
    return Change(name, "changed" if existed else "new")


def _remove(
    folder: Path, files: Mapping[str, str], is_ours: Callable[[str], bool]
) -> Iterator[Change]:
    suffixes = {Path(name).suffix for name in files}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix not in suffixes or name in files or not path.is_file():
            continue
        if is_ours(path.read_text("utf-8", "replace")):
            path.unlink()
            yield Change(name, "removed")
