"""Results as lines that survive a serial port: one per record, compressed, each with its check sum.

    glimpse-matrix start
    KIND base64(zlib(json))
    ...
    glimpse-matrix exit CODE        written by whoever started Python, so that a crash has one too

lab/matrix/results.py reads them.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import IO, Any

MARK = "glimpse-matrix"
KERNEL, ATTEMPT, TEST = "kernel", "attempt", "test"
KINDS = (KERNEL, ATTEMPT, TEST)
_PIECE = 1024  # bytes at once; a serial port takes what it can and says how much


class Reporter:
    """Writes records to an unbuffered file."""

    def __init__(self, file: IO[bytes]) -> None:
        """Take the file."""
        self._file = file

    def start(self) -> None:
        """Say that there is life."""
        self._line(f"{MARK} start")

    def send(self, kind: str, record: dict[str, Any]) -> None:
        """Write one record."""
        self._line(encode(kind, record))

    def _line(self, text: str) -> None:
        data = memoryview(f"{text}\n".encode("ascii"))
        while data:
            data = data[self._file.write(data[:_PIECE]) or 0 :]


def encode(kind: str, record: dict[str, Any]) -> str:
    """Return a record as one line, without its end."""
    packed = zlib.compress(json.dumps(record).encode())
    return f"{kind} {base64.b64encode(packed).decode()}"


def decode(line: str) -> tuple[str, dict[str, Any]]:
    """Return kind and record of a line; raises ValueError where it is damaged."""
    kind, _, text = line.partition(" ")
    if kind not in KINDS:
        raise ValueError(f"no record begins with {kind[:20]!r}")
    try:
        record = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return kind, record


def exit_line(code: int) -> str:
    """Return the last line."""
    return f"{MARK} exit {code}"
