"""Sizes as people write them: 256K, 1M, 1.5G; always multiples of 1024, always bytes inside."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?\s*", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Return the bytes that `text` means; a ValueError says how to write a size."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not a size: write bytes, or a number with K, M or G, such as 256K or 1M"
        )
    size = float(match[1]) * _UNITS[match[2].upper()]
    if size != int(size):
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(size)


def format_size(size: int) -> str:
    """Return `size` bytes for a reader: exact as 256K where it is round, else as 1.3 MiB."""
    for unit in ("T", "G", "M", "K"):
        scale = _UNITS[unit]
        if size >= scale:
            return f"{size // scale}{unit}" if size % scale == 0 else f"{size / scale:.1f} {unit}iB"
    return f"{size} B"


def check_size(size: int, minimum: int | None, maximum: int | None) -> None:
    """Raise a ValueError that names the limit when `size` bytes is outside of both limits."""
    if minimum is not None and size < minimum:
        raise ValueError(f"{format_size(size)} is too small: at least {format_size(minimum)}")
    if maximum is not None and size > maximum:
        raise ValueError(f"{format_size(size)} is too large: at most {format_size(maximum)}")
