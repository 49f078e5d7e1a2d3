"""Answer queries from a finished epoch: counts of keys, the top, and the cardinality."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import exact_table
from simulator.exact_table import PACKETS, ExactTable
from simulator.geometry import Geometry
from simulator.glimpse import Retired
from simulator.hashing import hash_words
from simulator.heavy import heavy_part
from simulator.jit import njit
from simulator.layout import COUNTER_MAX, SLOTS
from simulator.sketches import tfm
from simulator.sketches.tfm import Memory, Shape
from simulator.words import same_key


class Estimates(NamedTuple):
    """What an epoch says of n keys: their true packet counts lie in [lower, packets].

    That holds unless `saturated`; where lower equals packets the count is exact.
    """

    packets: NDArray[np.uint64]  # (n,) exact part + heavy part + light part
    lower: NDArray[np.uint64]  # (n,) what is certain: exact part + heavy part
    saturated: NDArray[np.bool_]  # (n,) a light counter stands at its limit

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Return which counts are exact: no packet of theirs can be in a light part."""
        same: NDArray[np.bool_] = self.packets == self.lower
        return same


@njit
def _heavy_share(
    memory: Memory, base: int, shape: Shape, h2: np.uint64, words: NDArray[np.uint64], key: int
) -> tuple[np.uint64, bool]:
    """Return a key's packets in the heavy part, and whether the light part may hold more."""
    keys, _, counts = tfm.bucket_places(base, shape, h2)
    for slot in range(SLOTS):
        packets = memory.u32[counts + slot]
        if packets == 0:
            break
        if same_key(memory.u64, keys + slot * len(shape.key), words, key, len(shape.key)):
            flag = memory.u32[counts + SLOTS + 1] >> np.uint32(slot) & np.uint32(1)
            return np.uint64(packets), flag != 0
    return np.uint64(0), True


@njit
def _estimate_all(
    memory: Memory,
    shape: Shape,
    table: ExactTable,
    words: NDArray[np.uint64],
    packets: NDArray[np.uint64],
    lower: NDArray[np.uint64],
    saturated: NDArray[np.bool_],
) -> None:
    for i in range(len(packets)):
        key = i * len(shape.key)
        certain = table.cells[exact_table.find_record(table, words, key) + PACKETS]
        light = np.uint64(0)
        for base in range(0, len(memory.u8), shape.size):
            first = base // 8 + tfm.HASH_KEY
            h1, h2 = hash_words(shape.hash, words, key, len(shape.key), memory.u64, first)
            heavy, more = _heavy_share(memory, base, shape, h2, words, key)
            certain += heavy
            if more:
                share = tfm.light_estimate(memory, base, shape, h1)
                saturated[i] |= share == COUNTER_MAX
                light += np.uint64(share)
        lower[i] = certain
        packets[i] = certain + light


def estimate(retired: Retired, keys: NDArray[np.uint64]) -> Estimates:
    """Estimate the packets of `keys`, uint64 (n, w), in a finished epoch."""
    shape = tfm.shape_of(retired.geometry, retired.hash)
    table = exact_table.index(retired.exact_keys, retired.exact_records)
    answer = Estimates(
        np.zeros(len(keys), np.uint64),
        np.zeros(len(keys), np.uint64),
        np.zeros(len(keys), np.bool_),
    )
    _estimate_all(
        tfm.views(np.ascontiguousarray(retired.tfms)),
        shape,
        table,
        np.ascontiguousarray(keys).ravel(),
        *answer,
    )
    return answer


def heavy_keys(retired: Retired) -> NDArray[np.uint64]:
    """Return the distinct keys of all heavy parts, uint64 (n, w)."""
    parts = [heavy_part(t, retired.geometry).keys for t in retired.tfms]
    return np.unique(np.concatenate(parts), axis=0)


def known_keys(retired: Retired) -> NDArray[np.uint64]:
    """Return every key that can be recovered: the exact table's and the heavy parts'."""
    return np.unique(np.concatenate([retired.exact_keys, heavy_keys(retired)]), axis=0)


def top(retired: Retired, count: int) -> tuple[NDArray[np.uint64], Estimates]:
    """Return the `count` largest known keys, largest first, with their estimates."""
    keys = known_keys(retired)
    answer = estimate(retired, keys)
    order = np.argsort(answer.packets)[::-1][:count]
    chosen = Estimates(answer.packets[order], answer.lower[order], answer.saturated[order])
    return keys[order], chosen


def light_rows(retired: Retired) -> NDArray[np.uint8]:
    """Return the light rows of all instances, uint8 (instances, rows, width)."""
    shape: Geometry = retired.geometry
    end = shape.light_offset + shape.rows * shape.width
    rows = retired.tfms[:, shape.light_offset : end]
    return rows.reshape(len(rows), shape.rows, shape.width)


def light_fill(retired: Retired) -> float:
    """Return the share of light counters that are in use, over the union of all instances."""
    return float((light_rows(retired).max(axis=0) != 0).mean())


def linear_counting(retired: Retired) -> float:
    """Estimate the distinct keys in the light parts (Whang et al., 1990), mean over the rows.

    Infinity where a row is full: there may be any number, so no calm can be read from it.
    """
    used = light_rows(retired).max(axis=0) != 0  # one secret per epoch: instances share columns
    width = used.shape[1]
    free = width - used.sum(axis=1)
    if not free.all():
        return math.inf
    return float((-width * np.log(free / width)).mean())


def cardinality(retired: Retired) -> float:
    """Estimate the distinct keys of an epoch.

    Known keys without a light share count one each, the light parts by linear counting. Keys of
    the exact table that only seem to have a light share are put back by their expected number.
    """
    known = known_keys(retired)
    without_share = float(estimate(retired, known).exact.sum()) if len(known) else 0.0
    light = linear_counting(retired)
    only_exact = _absent(retired.exact_keys, heavy_keys(retired))
    if len(only_exact) == 0 or light == 0 or math.isinf(light):
        return without_share + light
    hits = float((~estimate(retired, only_exact).exact).sum())
    by_chance = light_fill(retired) ** retired.geometry.rows
    overlap = max(0.0, (hits - len(only_exact) * by_chance) / (1 - by_chance))
    return without_share + light + hits - overlap


def _absent(keys: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the rows of `keys` that are not among `others`."""
    if len(keys) == 0 or len(others) == 0:
        return keys
    row = np.dtype((np.void, keys.shape[1] * 8))
    mine = np.ascontiguousarray(keys).view(row).ravel()
    theirs = np.ascontiguousarray(others).view(row).ravel()
    return keys[~np.isin(mine, theirs)]
