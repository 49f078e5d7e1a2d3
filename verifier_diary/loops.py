"""Collapse the iterations of a loop to the first and the last one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
LONGEST_BODY = 400  # items of one iteration


@dataclass(frozen=True, slots=True)
class Skipped:
    """Iterations that were left out, between the first and the last."""

    iterations: int
    items: int


def collapse(items: Sequence[T], key: Callable[[T], Hashable]) -> list[T | Skipped]:
    """Leave out what repeats three times or more in a row, but for the first and last time."""
    keys = [key(item) for item in items]
    seen: dict[Hashable, list[int]] = {}
    for position, name in enumerate(keys):
        seen.setdefault(name, []).append(position)
    out: list[T | Skipped] = []
    position = 0
    while position < len(items):
        body, times = _repetition(keys, position, seen)
        if times < 3:
            out.append(items[position])
            position += 1
            continue
        last = position + body * (times - 1)
        out += items[position : position + body]
        out.append(Skipped(times - 2, body * (times - 2)))
        out += items[last : last + body]
        position = last + body
    return out


# The shortest block from here on that repeats at once, and how often.
def _repetition(
    keys: Sequence[Hashable], start: int, seen: dict[Hashable, list[int]]
) -> tuple[int, int]:
    places = seen[keys[start]]
    later = bisect_right(places, start)
    for place in places[later : later + 8] if len(places) > 2 else ():
        body = place - start
        if body > LONGEST_BODY:
            break
        times = 1
        while keys[start : start + body] == keys[start + body * times : start + body * (times + 1)]:
            times += 1
        if times >= 3:
            return body, times
    return 1, 1
