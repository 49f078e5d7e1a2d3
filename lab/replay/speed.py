"""Where the time of a replay goes: packets per second of each stage."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
STAGES = ("trace", "parse", "simulator", "kernel")


class Speed:
    """Stop watches, one per stage."""

    def __init__(self) -> None:
        """Start with nothing measured."""
        self._seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - begin

    def iterate(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Pass items on, adding the time it takes to get each to a stage."""
        waiting = iter(items)
        while True:
            with self.of(stage):
                item = next(waiting, None)
            if item is None:
                return
            yield item

    def record(self, packets: int) -> dict[str, float | None]:
        """Return packets per second of each stage; None where it did not run."""
        return {
            f"{stage}_packets_per_second": packets / seconds if seconds else None
            for stage, seconds in self._seconds.items()
        }
