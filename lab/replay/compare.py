"""Compare two engines epoch by epoch: every byte of the TFMs, every record, every control word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from lab.controller import FinishedEpoch, Tick
from simulator.glimpse import Retired

MAX_EXAMPLES = 10


@dataclass
class Comparison:
    """How much was compared, and what differed; nothing compared is no success."""

    packets: int = 0
    keys: int = 0
    bytes: int = 0
    differences: int = 0
    steps: int = 0  # of the policy
    examples: list[str] = field(default_factory=list)

    def epochs(self, mine: FinishedEpoch, other: FinishedEpoch) -> None:
        """Compare one finished epoch of each engine."""
        self._tfms(mine.retired, other.retired)
        self._exact(mine.retired, other.retired)
        if (mine.cardinality, mine.detail) != (other.cardinality, other.detail):
            self._differ(1, f"epoch {mine.retired.epoch}: cardinality or detail")
        self.packets += int(mine.retired.headers["seen"].sum())

    def control(self, mine: np.void, other: np.void) -> None:
        """Compare the control fields: mode, trips, budget."""
        self.bytes += mine.nbytes
        for name in mine.dtype.names or ():
            if not np.array_equal(mine[name], other[name]):
                self._differ(1, f"control field {name}: {mine[name]} and {other[name]}")

    def ticks(self, mine: Sequence[Tick], other: Sequence[Tick]) -> None:
        """Compare what each engine's user space saw, decided and logged."""
        for a, b in zip_longest(mine, other):
            self.steps += 1
            if a != b:
                self._differ(1, _difference(a, b))

    def add(self, other: Comparison) -> None:
        """Add another comparison up."""
        self.packets += other.packets
        self.keys += other.keys
        self.bytes += other.bytes
        self.steps += other.steps
        self.differences += other.differences
        self.examples = [*self.examples, *other.examples][:MAX_EXAMPLES]

    def expect(self, holds: bool, what: str) -> None:
        """Count a difference where something else that must hold does not."""
        if not holds:
            self._differ(1, what)

    def _tfms(self, mine: Retired, other: Retired) -> None:
        self.bytes += mine.tfms.nbytes
        different = mine.tfms != other.tfms
        count = int(different.sum())
        if count:
            instance, offset = (int(i) for i in np.argwhere(different)[0])
            self._differ(
                count,
                f"epoch {mine.epoch}, instance {instance}: {count} TFM bytes, first at {offset}",
            )

    def _exact(self, mine: Retired, other: Retired) -> None:
        a, b = _rows(mine), _rows(other)
        self.keys += len(a)
        self.bytes += a.nbytes
        if not np.array_equal(a, b):
            only = len(np.setxor1d(a, b))
            self._differ(only, f"epoch {mine.epoch}: {only} exact records")

    def _differ(self, count: int, what: str) -> None:
        self.differences += count
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(what)


def _difference(mine: Tick | None, other: Tick | None) -> str:
    if mine is None or other is None:
        return "one engine's controller made more steps"
    seen, theirs = mine.observation.as_row(), other.observation.as_row()
    fields = [f"{n} {seen[n]} and {theirs[n]}" for n in seen if seen[n] != theirs[n]]
    return f"step at {mine.observation.now_ns} ns: {', '.join(fields) or 'decision or log'}"


def _rows(retired: Retired) -> NDArray[np.void]:
    """Return key and record of each exact entry as one sortable row of bytes."""
    table = np.concatenate([retired.exact_keys, retired.exact_records], axis=1)
    rows = np.ascontiguousarray(table).view(np.dtype((np.void, table.shape[1] * 8))).ravel()
    return np.sort(rows)
