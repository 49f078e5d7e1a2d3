"""Answer queries from a finished epoch: counts of keys, and the top."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator import exact_table
from simulator.exact_table import PACKETS, ExactTable
from simulator.glimpse import Retired
from simulator.hashing import hash_words
from simulator.jit import njit, signed
from simulator.layout import SLOTS
from simulator.light import at_limit, light_find
from simulator.sketches import tfm
from simulator.sketches.tfm import Memory, Shape
from simulator.words import same_key


class Estimates(NamedTuple):
    """What an epoch says of n keys: their true packet counts lie in [lower, packets].

    That holds unless `saturated`; where lower equals packets the count is exact.
    """

    packets: NDArray[np.uint64]  # (n,) exact part + heavy part + light part
    lower: NDArray[np.uint64]  # (n,) what is certain: exact part + heavy part
    saturated: NDArray[np.bool_]  # (n,) the light part stands at its limit

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Return which counts are exact: no packet of theirs can be in a light part."""
        same: NDArray[np.bool_] = self.packets == self.lower
        return same


@njit
def _heavy_share(
    memory: Memory, base: int, shape: Shape, h2: np.uint64, words: NDArray[np.uint64], key: int
) -> tuple[int, int]:
    """Return a key's packets in the heavy part, and at most how many the light part has.

    The second is -1 where only the light part can tell.
    """
    keys, _, counts = tfm.bucket_places(base, shape, h2)
    for slot in range(SLOTS):
        packets = signed(memory.u32[counts + slot])
        if packets == 0:
            return signed(0), signed(0)
        if same_key(memory.u64, keys + slot * len(shape.key), words, key, len(shape.key)):
            return packets, tfm.heavy_estimate(memory, counts, slot) - packets
    return signed(0), signed(-1)


@njit
def _estimate_all(
    memory: Memory,
    shape: Shape,
    words: NDArray[np.uint64],
    packets: NDArray[np.uint64],
    lower: NDArray[np.uint64],
    saturated: NDArray[np.bool_],
) -> None:
    for i in range(len(packets)):
        key = i * len(shape.key)
        certain, light = lower[i], np.uint64(0)
        for base in range(0, len(memory.u8), shape.size):
            first = base // 8 + tfm.HASH_KEY
            h1, h2 = hash_words(shape.hash, words, key, len(shape.key), memory.u64, first)
            heavy, share = _heavy_share(memory, base, shape, h2, words, key)
            certain += np.uint64(heavy)
            if share != 0:
                place = light_find(memory, base, shape, h1, h2)
                saturated[i] |= at_limit(place)
                if share < 0:
                    share = place.estimate
                light += np.uint64(share)
        lower[i] = certain
        packets[i] = certain + light


@njit
def _look_up(table: ExactTable, words: NDArray[np.uint64], packets: NDArray[np.uint64]) -> None:
    for i in range(len(packets)):
        packets[i] = table.cells[
            exact_table.find_record(table, words, i * len(table.key)) + PACKETS
        ]


def estimate(retired: Retired, keys: NDArray[np.uint64]) -> Estimates:
    """Estimate the packets of `keys`, uint64 (n, w), in a finished epoch."""
    exact = look_up(retired.exact_keys, retired.exact_records, keys)
    return _estimate(retired, keys, exact)


def look_up(
    table: NDArray[np.uint64], records: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Return the packets of `keys` (n, w) in a table of distinct keys (m, w), 0 where absent."""
    packets = np.zeros(len(keys), np.uint64)
    if len(table) and len(keys):
        _look_up(exact_table.index(table, records), np.ascontiguousarray(keys).ravel(), packets)
    return packets


# `exact` is what the exact table holds of each key.
def _estimate(retired: Retired, keys: NDArray[np.uint64], exact: NDArray[np.uint64]) -> Estimates:
    packets, lower = np.zeros(len(keys), np.uint64), exact.copy()
    answer = Estimates(packets, lower, np.zeros(len(keys), np.bool_))
    if not retired.headers["sketched"].any():
        packets[:] = exact
        return answer
    memory = tfm.views(np.ascontiguousarray(retired.tfms))
    shape = tfm.shape_of(retired.geometry, retired.hash)
    _estimate_all(memory, shape, np.ascontiguousarray(keys).ravel(), *answer)
    return answer


@njit
def _light_shares(
    memory: Memory, shape: Shape, words: NDArray[np.uint64], shares: NDArray[np.bool_]
) -> None:
    for i in range(len(shares)):
        key = i * len(shape.key)
        for base in range(0, len(memory.u8), shape.size):
            first = base // 8 + tfm.HASH_KEY
            h1, h2 = hash_words(shape.hash, words, key, len(shape.key), memory.u64, first)
            _, share = _heavy_share(memory, base, shape, h2, words, key)
            if share < 0:
                share = light_find(memory, base, shape, h1, h2).estimate
            shares[i] |= share > 0


def light_shares(retired: Retired, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of `keys`, uint64 (n, w), may have packets in a light part."""
    shares = np.zeros(len(keys), np.bool_)
    shape = tfm.shape_of(retired.geometry, retired.hash)
    memory = tfm.views(np.ascontiguousarray(retired.tfms))
    _light_shares(memory, shape, np.ascontiguousarray(keys).ravel(), shares)
    return shares


class Known(NamedTuple):
    """The keys that can be recovered: those of the exact table first, then the other heavy ones."""

    keys: NDArray[np.uint64]  # (n, w), distinct
    estimates: Estimates  # of each

    @property
    def light_shares(self) -> NDArray[np.bool_]:
        """Return which of them may have packets in a light part."""
        return ~self.estimates.exact


def known(retired: Retired) -> Known:
    """Recover the keys of an epoch; `Retired.known` does it once."""
    heavy, exact = heavy_keys(retired), retired.exact_keys
    others = heavy[look_up(exact, retired.exact_records, heavy) == 0]
    keys = np.concatenate([exact, others])
    held = np.zeros(len(keys), np.uint64)
    held[: len(exact)] = retired.exact_records[:, PACKETS]
    return Known(keys, _estimate(retired, keys, held))


def heavy_keys(retired: Retired) -> NDArray[np.uint64]:
    """Return the distinct keys of all heavy parts, uint64 (n, w)."""
    keys = np.concatenate([part.keys for part in retired.heavy])
    first = np.zeros(len(keys), np.bool_)
    table = exact_table.exact_table(keys.shape[1], len(keys) + 1)
    _mark_first(table, np.ascontiguousarray(keys).ravel(), first)
    return keys[first]


@njit
def _mark_first(table: ExactTable, words: NDArray[np.uint64], first: NDArray[np.bool_]) -> None:
    one = np.uint64(1)
    for i in range(len(first)):
        record = exact_table.find_record(table, words, i * len(table.key))
        if table.cells[record + PACKETS] == 0:
            first[i] = True
            exact_table.insert(table, record, words, i * len(table.key), one, one)


def known_keys(retired: Retired) -> NDArray[np.uint64]:
    """Return every key that can be recovered: the exact table's and the heavy parts'."""
    return retired.known.keys


def top(retired: Retired, count: int) -> tuple[NDArray[np.uint64], Estimates]:
    """Return the `count` largest known keys, largest first, with their estimates.

    Among equals the smaller key, by its words, comes first: on either engine the same.
    """
    keys, answer = retired.known
    order = _largest(answer.packets, keys, count)
    chosen = Estimates(answer.packets[order], answer.lower[order], answer.saturated[order])
    return keys[order], chosen


def _largest(packets: NDArray[np.uint64], keys: NDArray[np.uint64], count: int) -> NDArray[np.intp]:
    if count <= 0 or not len(packets):
        return np.zeros(0, np.intp)
    least = np.partition(packets, -count)[-count] if count < len(packets) else np.uint64(0)
    among = np.flatnonzero(packets >= least)
    order = np.lexsort((*keys[among].T[::-1], np.iinfo(np.uint64).max - packets[among]))
    return among[order][:count]
