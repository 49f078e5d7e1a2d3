"""What host and guest say to each other: one request on the command line, lines on stdout back.

A line that begins with a mark is a message; every other line is what programs in the guest
printed. Standard library only.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

_SIGN = "@glimpse-"


class Mark(Enum):
    """The kinds of message."""

    STALE = "stale"  # the guest's digest, where it is not the host's
    REPORT = "report"  # one report of pytest, serialised
    JOURNAL = "journal"  # a file of the guest's journal: name and contents
    END = "end"  # pytest's exit code; without it the guest answered half


@dataclass(frozen=True)
class Request:
    """What the host wants: these tests of this tree (no tests: all), with these options."""

    digest: str
    tests: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def encode(self) -> str:
        """Return it as one word for a shell."""
        text = json.dumps(asdict(self)).encode()
        return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode()

    @classmethod
    def decode(cls, word: str) -> Request:
        """Return what was encoded."""
        record = json.loads(zlib.decompress(base64.urlsafe_b64decode(word)))
        return cls(
            record["digest"],
            tuple(record["tests"]),
            tuple(record["options"]),
            tuple((name, value) for name, value in record["environment"]),
        )


def line_of(mark: Mark, content: Any) -> str:
    """Return a message as a line."""
    return f"{_SIGN}{mark.value} {json.dumps(content)}"


def message_in(line: str) -> tuple[Mark, Any] | None:
    """Return the message of a line, None where it is a program's own output."""
    if not line.startswith(_SIGN):
        return None
    word, _, content = line.removeprefix(_SIGN).partition(" ")
    try:
        return Mark(word), json.loads(content)
    except ValueError:
        return None  # cut, or somebody else's line
