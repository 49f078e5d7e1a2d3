"""A fixed number of keys with counts, the smallest count always at hand: a heap and an index.

Space-Saving is this table; HeavyKeeper and NitroSketch keep their largest keys in one. An index of
chains finds a key's entry, `order` is a binary heap of entries, smallest count first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import mix_words, reduce
from simulator.jit import njit, signed
from simulator.sketches.arrays import largest
from simulator.sketches.protocol import Keys, Top
from simulator.words import copy_key, same_key

ENTRY_BYTES = 5 * 4  # besides the key


class TopTable(NamedTuple):
    """m entries; places and links are 32 bits, as many as there may be entries."""

    keys: NDArray[np.uint64]  # (m * words,)
    counts: NDArray[np.uint32]  # (m,)
    order: NDArray[np.uint32]  # (m,) entries, a heap by count
    place: NDArray[np.uint32]  # (m,) where an entry stands in `order`
    heads: NDArray[np.uint32]  # (m,) first entry + 1 of each chain, 0 where empty
    chain: NDArray[np.uint32]  # (m,) next entry + 1
    used: NDArray[np.uint32]  # (1,)


def top_table(entries: int, key_words: int) -> TopTable:
    """Return an empty table."""
    counts, order, place, heads, chain = np.zeros((5, entries), np.uint32)
    keys, used = np.zeros(entries * key_words, np.uint64), np.zeros(1, np.uint32)
    return TopTable(keys, counts, order, place, heads, chain, used)


def entries_for(memory: int, key_words: int) -> int:
    """Return how many entries fit in `memory` bytes; 0 or fewer where none does."""
    return (memory - 4) // (8 * key_words + ENTRY_BYTES)


def stored(table: TopTable, count: int) -> Top:
    """Return the `count` largest keys."""
    used = int(table.used[0])
    keys = table.keys.reshape(len(table.counts), -1)[:used]
    return largest(keys, table.counts[:used].astype(np.uint64), count)


@njit
def find(table: TopTable, words: Keys, at: int, key: tuple[int, ...]) -> int:
    """Return the entry of the key at words[at], or -1."""
    head = reduce(mix_words(words, at, len(key)), len(table.heads))
    entry = signed(table.heads[head]) - 1
    while entry >= 0 and not same_key(table.keys, entry * len(key), words, at, len(key)):
        entry = signed(table.chain[entry]) - 1
    return entry


@njit
def is_full(table: TopTable) -> bool:
    """Tell whether every entry is in use."""
    return signed(table.used[0]) == len(table.counts)


@njit
def smallest(table: TopTable) -> int:
    """Return the smallest count, 0 in a table that is not full."""
    return signed(table.counts[table.order[0]]) if is_full(table) else 0


@njit
def _put(table: TopTable, place: int, entry: int) -> None:
    table.order[place] = entry
    table.place[entry] = place


@njit
def _sink(table: TopTable, entry: int) -> None:
    """Move an entry whose count grew away from the root."""
    place, count, used = signed(table.place[entry]), table.counts[entry], signed(table.used[0])
    while True:
        child = 2 * place + 1
        if child >= used:
            break
        if child + 1 < used:
            left, right = table.order[child], table.order[child + 1]
            if table.counts[right] < table.counts[left]:
                child += 1
        other = signed(table.order[child])
        if table.counts[other] >= count:
            break
        _put(table, place, other)
        place = child
    _put(table, place, entry)


@njit
def _rise(table: TopTable, entry: int) -> None:
    """Move an entry whose count shrank towards the root."""
    place, count = signed(table.place[entry]), table.counts[entry]
    while place > 0:
        parent = signed(table.order[(place - 1) // 2])
        if table.counts[parent] <= count:
            break
        _put(table, place, parent)
        place = (place - 1) // 2
    _put(table, place, entry)


@njit
def set_count(table: TopTable, entry: int, count: int) -> None:
    """Give an entry another count."""
    before = signed(table.counts[entry])
    table.counts[entry] = count
    if count > before:
        _sink(table, entry)
    else:
        _rise(table, entry)


@njit
def _link(table: TopTable, entry: int, words: Keys, at: int, key: tuple[int, ...]) -> None:
    copy_key(table.keys, entry * len(key), words, at, len(key))
    head = reduce(mix_words(words, at, len(key)), len(table.heads))
    table.chain[entry] = table.heads[head]
    table.heads[head] = entry + 1


@njit
def _unlink(table: TopTable, entry: int, key: tuple[int, ...]) -> None:
    head = reduce(mix_words(table.keys, entry * len(key), len(key)), len(table.heads))
    other = signed(table.heads[head]) - 1
    if other == entry:
        table.heads[head] = table.chain[entry]
        return
    while signed(table.chain[other]) - 1 != entry:
        other = signed(table.chain[other]) - 1
    table.chain[other] = table.chain[entry]


@njit
def put(table: TopTable, words: Keys, at: int, key: tuple[int, ...], count: int) -> None:
    """Store a key that is not stored yet, in a full table in place of the smallest."""
    if is_full(table):
        entry = signed(table.order[0])
        _unlink(table, entry, key)
        _link(table, entry, words, at, key)
        set_count(table, entry, count)
        return
    entry = signed(table.used[0])
    table.used[0] += np.uint32(1)
    table.place[entry] = entry
    table.counts[entry] = count
    _link(table, entry, words, at, key)
    _rise(table, entry)
