"""The twin of the exact table: what BPF_MAP_TYPE_HASH holds, with its limit on entries.

The kernel's order of entries is not part of the contract, so this is a hash table of our own
(open addressing, linear probing) that refuses inserts exactly where the kernel's does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import mix_words
from simulator.jit import njit, signed
from simulator.words import copy_key, same_key

# Words of a record, behind its key.
PACKETS, BYTES, FIRST_NS, LAST_NS = range(4)
_RECORD = 4


class ExactTable(NamedTuple):
    """One table of at most `limit` keys; a cell is a key and its record, side by side."""

    cells: NDArray[np.uint64]  # (2^k * (w + 4),); a cell is free while its packets are 0
    used: NDArray[np.int64]  # (1,) keys held
    mask: int  # cells - 1
    key: tuple[int, ...]  # w zeros: its length is a constant to the compiler
    limit: int


def exact_table(words: int, limit: int) -> ExactTable:
    """Return an empty table for keys of `words` 64-bit words, never more than half full."""
    cells = 1 << max(4, (2 * limit - 1).bit_length())
    return ExactTable(
        np.zeros(cells * (words + _RECORD), np.uint64),
        np.zeros(1, np.int64),
        cells - 1,
        (0,) * words,
        limit,
    )


@njit
def find_record(table: ExactTable, words: NDArray[np.uint64], key: int) -> int:
    """Return where the record of the key at words[key] is, or would be, in table.cells."""
    mixed = mix_words(words, key, len(table.key))
    cell = signed(mixed & np.uint64(table.mask))
    while True:
        at = cell * (len(table.key) + _RECORD)
        record = at + len(table.key)
        if table.cells[record + PACKETS] == 0:
            return record
        if same_key(table.cells, at, words, key, len(table.key)):
            return record
        cell = (cell + 1) & table.mask


@njit
def insert(
    table: ExactTable,
    record: int,
    words: NDArray[np.uint64],
    key: int,
    size: np.uint64,
    now: np.uint64,
) -> bool:
    """Insert the key at words[key] with its first packet; False where the table is full."""
    if table.used[0] >= table.limit:
        return False
    table.used[0] += 1
    copy_key(table.cells, record - len(table.key), words, key, len(table.key))
    table.cells[record + PACKETS] = 1
    table.cells[record + BYTES] = size
    table.cells[record + FIRST_NS] = now
    table.cells[record + LAST_NS] = now
    return True


@njit
def add(table: ExactTable, record: int, size: np.uint64, now: np.uint64) -> None:
    """Count one more packet of a key."""
    table.cells[record + PACKETS] += np.uint64(1)
    table.cells[record + BYTES] += size
    table.cells[record + LAST_NS] = now


@njit
def _fill(
    table: ExactTable, words: NDArray[np.uint64], records: NDArray[np.uint64], stride: int
) -> None:
    for i in range(len(records)):
        at = find_record(table, words, i * stride)
        copy_key(table.cells, at - len(table.key), words, i * stride, len(table.key))
        for field in range(_RECORD):
            table.cells[at + field] = records[i, field]
    table.used[0] = len(records)


def index(keys: NDArray[np.uint64], records: NDArray[np.uint64]) -> ExactTable:
    """Return a table that holds distinct keys, uint64 (n, w), with records (n, 4)."""
    table = exact_table(keys.shape[1], len(keys) + 1)
    fill(table, keys, records)
    return table


def fill(table: ExactTable, keys: NDArray[np.uint64], records: NDArray[np.uint64]) -> None:
    """Put distinct keys, uint64 (n, w), with their records (n, 4) into an empty table."""
    _fill(table, np.ascontiguousarray(keys).reshape(-1), records, keys.shape[1])


def contents(table: ExactTable) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the keys (n, w) and their records (n, 4), in no particular order."""
    cells = table.cells.reshape(-1, len(table.key) + _RECORD)
    held = cells[cells[:, len(table.key) + PACKETS] != 0]
    return held[:, : len(table.key)].copy(), held[:, len(table.key) :].copy()


def clear(table: ExactTable) -> None:
    """Empty the table."""
    table.cells[:] = 0
    table.used[0] = 0
