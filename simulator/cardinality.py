"""Count the distinct keys of a finished epoch, and say how sure that is.

Known keys without a light share count one each; the light parts are counted by their cells and
rows, or, as a cross-check, by how often an insertion met an estimate of 0.

Design range, held by tests: within 5 % while the rows have at most 3 entries for every counter and
1,024 counters or more. A key of several instances that has a cell in one and none in another is
counted twice, so there the range ends where one key in twenty has no cell. Beyond, `reliable` is
False.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.estimate import heavy_keys, look_up
from simulator.glimpse import Retired
from simulator.layout import EXACT_RECORD
from simulator.light_part import LightKeys, chance_of_share, light_keys

RELIABLE_LOAD = 3.0  # entries for every counter of a row
RELIABLE_ERROR = 0.05  # two standard errors


class Cardinality(NamedTuple):
    """A number of distinct keys, and its relative standard error."""

    keys: float
    error: float
    in_range: bool = True

    @property
    def reliable(self) -> bool:
        """Say whether the number lies in the range where it is within 5 % of the truth."""
        return self.in_range and 2 * self.error <= RELIABLE_ERROR


def count_keys(retired: Retired) -> Cardinality:
    """Estimate the distinct keys of an epoch from what its light parts hold."""
    light = light_keys(retired)
    return _count(retired, light, light.total)


def count_new_keys(retired: Retired) -> Cardinality:
    """Estimate the distinct keys of an epoch from the light parts' `new_keys`: a cross-check."""
    return _count(retired, light_keys(retired), new_key_counting(retired))


def cardinality(retired: Retired) -> float:
    """Return the distinct keys of an epoch; infinite where there may be any number."""
    return count_keys(retired).keys


def new_key_counting(retired: Retired) -> float:
    """Estimate the distinct keys in the light parts from `new_keys`, the insertions that met 0.

    Each used cell was one of them; the others are of keys without a cell. Such a key goes unnoticed
    where all its counters are in use, with probability f^r at fill f, so t of them per counter
    leave f + f^2/2 + ... + f^r/r with f = 1 - e^-t: solved for t. A key met by several instances
    is counted by each; what their light parts hold together and apart tells how many are.
    """
    geometry, news = retired.geometry, retired.headers["new_keys"].tolist()
    most = sum(1 / k for k in range(1, geometry.rows + 1))
    each = [light_keys(retired, instance) for instance in range(len(news))]
    total = 0.0
    for new, held in zip(news, each, strict=True):
        without_cell = max(0.0, new - (held.in_cells - held.sharing))
        load = _load(without_cell / geometry.width, geometry.rows, most)
        total += held.in_cells + geometry.width * load
    apart = sum(held.total for held in each)
    if apart == 0 or math.isinf(apart) or len(each) == 1:
        return total
    return total * light_keys(retired).total / apart


# t in news = f + f^2/2 + ... + f^r/r, f = 1 - e^-t, by bisection; it grows with t.
def _load(new_per_counter: float, rows: int, most: float) -> float:
    if new_per_counter >= most:
        return math.inf
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        fill = -math.expm1(-middle)
        too_low = sum(fill**k / k for k in range(1, rows + 1)) < new_per_counter
        low, high = (middle, high) if too_low else (low, middle)
    return low


# Keys of the exact table that only seem to have a light share are put back, as many as expected.
def _count(retired: Retired, held: LightKeys, light: float) -> Cardinality:
    known, exact = retired.known, retired.exact_keys
    if light == 0:
        return Cardinality(float(len(known.keys)), 0.0)
    keys = _true(~known.light_shares) + light
    if not math.isinf(light) and len(exact):
        only_exact = ~_member(heavy_keys(retired), exact)
        hits = known.light_shares[: len(exact)] & only_exact
        keys += _put_back(retired, _true(hits), _true(only_exact))
    return _with_error(retired, held, keys)


def _true(flags: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(flags))


def _put_back(retired: Retired, hits: int, only_exact: int) -> float:
    by_chance = chance_of_share(retired)
    overlap = (hits - only_exact * by_chance) / (1 - by_chance)
    return hits - max(0.0, overlap)


# Cells: as many keys share one as Poisson draws. Rows: Whang et al., equation 8; the rows of one
# key are as good as independent.
def _with_error(retired: Retired, held: LightKeys, keys: float) -> Cardinality:
    width, rows = retired.geometry.width, retired.geometry.rows
    load = held.in_rows / width
    if math.isinf(load):
        return Cardinality(keys, math.inf, in_range=False)
    variance = held.sharing + width * (math.expm1(load) - load) / rows
    alone = retired.geometry.instances == 1
    in_range = load <= RELIABLE_LOAD and (alone or held.without_cell <= RELIABLE_ERROR * keys)
    return Cardinality(keys, math.sqrt(max(0.0, variance)) / keys, in_range)


def _member(table: NDArray[np.uint64], keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of `keys` (n, w) are among the distinct keys of `table` (m, w)."""
    records = np.ones((len(table), len(EXACT_RECORD.names or ())), np.uint64)
    found: NDArray[np.bool_] = look_up(table, records, keys) > 0
    return found
