"""Text that any terminal can show: logs come from anywhere."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: str) -> str:
    """Replace what is no character, and tabs by spaces; lines stay lines."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).expandtabs(8)


def cut(text: str, width: int) -> str:
    """Return one line of at most `width` characters."""
    line = plain(text).replace("\n", " ")
    return line if len(line) <= width else f"{line[: max(width - 1, 0)]}…"


def size(count: int) -> str:
    """Return a number of characters as a person says it: `7.7 MB`."""
    for unit in ("bytes", "kB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.3g} MB"


def day(time: str) -> str:
    """Return date and minute of an ISO time."""
    return time[:16].replace("T", " ")
