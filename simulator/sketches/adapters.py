"""The data path's own sketches under the peers' protocol: one instance, one buffer, equal bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from simulator.geometry import EPOCH_BUFFERS, Geometry, for_memory, smallest_memory
from simulator.hashing import epoch_secret
from simulator.layout import FLOW, KEYS, SRC, Key, Outcome, Setting
from simulator.sketches.arrays import units
from simulator.sketches.count_min import CountMin
from simulator.sketches.protocol import Counts, Keys, Law, Top

if TYPE_CHECKING:
    from simulator.glimpse import Retired

ROWS = 4


class CountMinPeer(CountMin):
    """Plain count-min of four rows."""

    laws: ClassVar = frozenset({Law.LINEAR, Law.ORDER_FREE, Law.NEVER_UNDER, Law.DETERMINISTIC})

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return four rows in at most `memory` bytes."""
        width = units(memory, ROWS * 4, "counter in each row")
        return cls(ROWS, width, epoch_secret(seed, 0))

    def top(self, count: int) -> Top | None:
        """Return None: counters alone recover no keys."""
        return None

    def state(self) -> bytes:
        """Return the bytes of the grid."""
        return self.grid.tobytes()

    def merge(self, other: Self) -> None:
        """Add what `other`, of the same shape and seed, has counted."""
        self.grid += other.grid


class TfmPeer:
    """One TFM, as the data path in Low Detail fills it.

    The data path itself runs, so a change of the TFM's layout changes nothing here.
    """

    laws: ClassVar = frozenset({Law.NEVER_UNDER, Law.DETERMINISTIC})

    def __init__(self, geometry: Geometry, seed: int) -> None:
        """Start empty, with one instance."""
        # The data path imports simulator.sketches.tfm, and so this package, before it is ready.
        from simulator.glimpse import Glimpse

        self._twin = Glimpse(geometry, exact_entries=1, setting=Setting.LOW, seed=seed)

    @classmethod
    def for_memory(cls, memory: int, key_words: int, seed: int) -> Self:
        """Return a TFM of at most `memory` bytes: half of what Low Detail allocates for two."""
        key = _key_of(key_words)
        least = -(-smallest_memory(key, 1) // EPOCH_BUFFERS)
        if memory < least:
            raise ValueError(f"{memory} bytes hold no TFM: at least {least} bytes are needed")
        return cls(for_memory(EPOCH_BUFFERS * memory, key, 1), seed)

    @property
    def memory(self) -> int:
        """Return a buffer's share of all that Low Detail allocates, in bytes."""
        return -(-self._twin.geometry.low_detail_bytes // EPOCH_BUFFERS)

    def update(self, keys: Keys) -> None:
        """Count one packet of each of `keys`, uint64 (n, w)."""
        from simulator.parsing import FLOW_WORDS, Parsed

        flows = np.zeros((len(keys), FLOW_WORDS), np.uint64)
        flows[:, : keys.shape[1]] = keys
        outcomes = np.full(len(keys), Outcome.IP, np.uint8)
        ones = np.ones(len(keys), np.uint64)
        self._twin.feed(Parsed(outcomes, flows, ones.astype(np.uint32)), ones, ones)

    def estimate(self, keys: Keys) -> Counts:
        """Return the heavy and light counts of each key, uint64 (n,)."""
        from simulator.estimate import estimate

        return estimate(self._snapshot(), keys).packets

    def top(self, count: int) -> Top:
        """Return the `count` largest keys of the heavy part."""
        from simulator.estimate import top

        keys, answer = top(self._snapshot(), count)
        return Top(keys, answer.packets)

    def state(self) -> bytes:
        """Return the bytes of the TFM."""
        return self._snapshot().tfms.tobytes()

    def _snapshot(self) -> Retired:
        """Return the running epoch as if it were finished."""
        from simulator.glimpse import Retired

        twin = self._twin
        words = twin.geometry.key.words
        return Retired(
            0,
            twin.geometry,
            twin.hash,
            twin.tfms[: twin.geometry.instances].copy(),
            np.zeros((0, words), np.uint64),
            np.zeros((0, 4), np.uint64),
        )


def _key_of(words: int) -> Key:
    for key in KEYS.values():
        if key.words == words:
            return key
    raise ValueError(f"a TFM counts keys of {SRC.words} or {FLOW.words} words, not {words}")
