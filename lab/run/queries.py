"""The keys that somebody wants counted, however small they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.run.keys import parse, text_of
from simulator.layout import Key

MOST = 100  # each is a label of a metric


class Queries:
    """Keys in the order in which they were asked for."""

    def __init__(self, key: Key, texts: tuple[str, ...] = ()) -> None:
        """Begin with `texts`; a ValueError says what is wrong with one."""
        self._key = key
        self.keys: NDArray[np.uint64] = np.zeros((0, key.words), np.uint64)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Ask for one more; one that is there already changes nothing."""
        words = parse(text, self._key)
        if (self.keys == words).all(axis=1).any():
            return
        if len(self.keys) == MOST:
            raise ValueError(f"{MOST} keys are asked for already, which is the most")
        self.keys = np.vstack([self.keys, words])

    @property
    def names(self) -> list[str]:
        """Return them as they are written."""
        return [text_of(words, self._key) for words in self.keys]
