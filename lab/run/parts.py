"""A table that grows on disk as Parquet: in parts, each whole, until one file is made of them.

A Parquet file ends with its table of contents, so one that is still being written is worth nothing
after a kill or on a full disk. Parts that are written are worth all they hold.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.errors import EnvironmentProblem
from verifier_diary.ownership import inherit_owner

SUFFIX = ".parts"
ROWS_PER_GROUP = 6000  # of the file at the end


class Parts:
    """The growing table of one file."""

    def __init__(self, path: Path, schema: Any, owner: tuple[int, int]) -> None:
        """Make an empty file, and a folder for the parts beside it; raises OSError.

        `schema` is Arrow's; `owner` is the user and group that will write the parts.
        """
        self.path, self.folder = path, parts_of(path)
        self._schema = schema
        self._count = 0
        # Kept open: when the run ends, it may no longer be allowed to open it.
        self._file = path.open("wb")
        inherit_owner(path)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if os.geteuid() == 0:
            os.chown(self.folder, *owner)

    def close(self) -> None:
        """Leave the parts as they are; a second call does nothing."""
        self._file.close()

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Write rows as one more part; raises OSError, and then there is nothing of it."""
        part = self.folder / f"{self._count:06d}.parquet"
        unfinished = part.with_suffix(".unfinished")
        table = arrow("pyarrow").Table.from_pylist(rows, self._schema)
        try:
            arrow("pyarrow.parquet").write_table(table, unfinished)
            unfinished.replace(part)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        self._count += 1

    def finish(self) -> None:
        """Make the file of the parts, and remove them; raises OSError, and then they stay."""
        again = os.dup(self._file.fileno())  # to empty it, when closing it has failed too
        try:
            with self._file:
                self._write_all()
        except BaseException:
            os.truncate(again, 0)
            raise
        finally:
            os.close(again)
        with suppress(OSError):  # the folder above may be closed to who we have become
            shutil.rmtree(self.folder)

    def _write_all(self) -> None:
        write = arrow("pyarrow.parquet").ParquetWriter
        with write(self._file, self._schema, compression="zstd") as writer:
            for table in _groups(self.folder):
                writer.write_table(table)


def parts_of(path: Path) -> Path:
    """Return the folder in which a file's parts are until it is made."""
    return path.with_name(path.name + SUFFIX)


def read(path: Path) -> Any:
    """Return the Arrow table of a file, or of the parts left in its place; raises OSError."""
    parts = parts_of(path)
    if parts.is_dir() and (not path.exists() or path.stat().st_size == 0):
        path = parts
    files = [str(p) for p in sorted(path.glob("*.parquet"))] if path.is_dir() else str(path)
    return arrow("pyarrow.parquet").read_table(files)


def arrow(module: str) -> Any:
    """Import a module of pyarrow, which has no types; raises EnvironmentProblem."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EnvironmentProblem(
            "recordings need pyarrow, which is not installed", try_="`make setup` installs it"
        ) from error


def _groups(folder: Path) -> Iterator[Any]:
    parquet, concatenated = arrow("pyarrow.parquet"), arrow("pyarrow").concat_tables
    waiting: list[Any] = []
    for part in sorted(folder.glob("*.parquet")):
        waiting.append(parquet.ParquetFile(part).read())
        if sum(len(table) for table in waiting) >= ROWS_PER_GROUP:
            yield concatenated(waiting)
            waiting.clear()
    if waiting:
        yield concatenated(waiting)
