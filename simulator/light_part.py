"""Read the light part of a finished epoch: its cells, its rows, and how many keys they hold.

One secret per epoch, so a key has the same fingerprint and groups in every instance.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.geometry import Geometry
from simulator.glimpse import Retired
from simulator.hashing import reduce, row_bits
from simulator.jit import njit
from simulator.layout import CELL_COUNT_BITS, CELL_MAX, CELL_PLAIN, FINGERPRINTS
from simulator.light import carry_bits, find_cell, second_group

_CELLS = 4  # in a group
FEW_INSTANCES = 4  # that are compared with each other; more are sorted
_CELL_BITS = np.uint64(16)
_CELL = np.uint64(0xFFFF)
_COUNT_BITS = np.uint64(CELL_COUNT_BITS)
_HIGHEST_CELL = np.uint64(1 << 48)


class Cells(NamedTuple):
    """The used cells of all instances."""

    instance: NDArray[np.int64]  # (n,)
    group: NDArray[np.int64]  # (n,)
    fingerprint: NDArray[np.int64]  # (n,)
    held: NDArray[np.int64]  # (n,) its count, without what was carried


class LightKeys(NamedTuple):
    """How many distinct keys the light parts hold, as estimated."""

    in_cells: float
    without_cell: float
    in_rows: float  # cells that have carried, and keys without a cell
    sharing: float  # keys that share another's cell, already in `in_cells`

    @property
    def total(self) -> float:
        """Return the number of keys; infinite where a row is full."""
        return self.in_cells + self.without_cell


def all_cells(tfms: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint16]:
    """See the cells of TFMs, uint8 (instances, value_size), as uint16 (instances, groups, 4).

    A free cell is 0.
    """
    groups = tfms.view(np.uint16)[:, geometry.light_offset // 2 : geometry.rows_offset // 2]
    return groups.reshape(len(tfms), geometry.groups, _CELLS)


def light_cells(retired: Retired) -> Cells:
    """Return the used cells of all instances."""
    cells = all_cells(retired.tfms, retired.geometry)
    instance, group, place = np.nonzero(cells)
    used = cells[instance, group, place].astype(np.int64)
    return Cells(instance, group, used >> CELL_COUNT_BITS, used & CELL_MAX)


def light_rows(retired: Retired) -> NDArray[np.uint8]:
    """Return the light rows of all instances, uint8 (instances, rows, width)."""
    shape = retired.geometry
    end = shape.rows_offset + shape.rows * shape.width
    rows = retired.tfms[:, shape.rows_offset : end]
    return rows.reshape(len(rows), shape.rows, shape.width)


def light_fill(retired: Retired) -> float:
    """Return the share of light cells that are in use, over all instances.

    From 0.85 on, more and more new keys find no cell, and their estimates get worse.
    """
    return float((all_cells(retired.tfms, retired.geometry) != 0).mean())


def linear_counting(retired: Retired) -> float:
    """Estimate what the rows have counted: carrying cells, and keys without a cell.

    Linear counting (Whang et al., 1990), mean over the rows, on the union of the instances.
    Infinity where a row is full: there may be any number, so no calm can be read from it.
    """
    used = light_rows(retired).max(axis=0) != 0
    width = used.shape[1]
    free = width - np.count_nonzero(used, axis=1)
    if not free.all():
        return math.inf
    return float((-width * np.log(free / width)).mean())


def light_keys(retired: Retired, instance: int | None = None) -> LightKeys:
    """Count the distinct keys of the light parts: cells, each once, and keys without a cell.

    With `instance`, of that one alone.
    """
    if instance is not None:
        retired = replace(retired, tfms=retired.tfms[instance : instance + 1])
    distinct = _distinct_cells(retired)
    # The chance grew with the number of cells, from 0, so half of it is its mean.
    in_cells = distinct / (1 - float(chance_of_match(retired).mean()) / 2)
    rows = linear_counting(retired)
    without = max(0.0, rows - _carried(retired)) if _full_groups(retired).any() else 0.0
    return LightKeys(in_cells, rows if math.isinf(rows) else without, rows, in_cells - distinct)


def _distinct_cells(retired: Retired) -> int:
    """Count the used cells, those of the same key in several instances once."""
    if len(retired.tfms) <= FEW_INSTANCES:
        return int(_count_distinct(_groups(retired)))
    cells, groups = light_cells(retired), retired.geometry.groups
    first = np.minimum(cells.group, _second_groups(cells, groups))
    return len(np.unique(cells.fingerprint * groups + first))


def _groups(retired: Retired) -> NDArray[np.uint64]:
    """See the groups of four cells as one number each, uint64 (instances, groups)."""
    shape = retired.geometry
    words = np.ascontiguousarray(retired.tfms).view(np.uint64)
    return words[:, shape.light_offset // 8 : shape.rows_offset // 8]


# A cell is counted unless an instance before has one for the same key: in the same group, or in the
# other one of the two where that key could be. Within an instance a key has one cell at most.
@njit
def _count_distinct(groups: NDArray[np.uint64]) -> int:
    distinct = 0
    for instance in range(groups.shape[0]):
        for group in range(groups.shape[1]):
            cells = groups[instance, group]
            while cells != 0:
                fingerprint = (cells & _CELL) >> _COUNT_BITS
                cells >>= _CELL_BITS
                if fingerprint == 0:
                    continue
                new = True
                for before in range(instance):
                    if find_cell(groups[before, group], fingerprint) != 0:
                        new = False
                        break
                    second = second_group(groups.shape[1], group, fingerprint)
                    if find_cell(groups[before, second], fingerprint) != 0:
                        new = False
                        break
                distinct += new
    return distinct


def chance_of_match(retired: Retired) -> NDArray[np.float64]:
    """Return the probability that a new key shares a cell, by instance (instances,)."""
    cells = all_cells(retired.tfms, retired.geometry)
    fill = np.count_nonzero(cells, axis=(1, 2)) / cells[0].size
    chance: NDArray[np.float64] = 1 - (1 - 1 / FINGERPRINTS) ** (2 * _CELLS * fill)
    return chance


def chance_of_share(retired: Retired) -> float:
    """Return the probability that a key without packets in any light part seems to have some."""
    full = np.count_nonzero(_full_groups(retired), axis=1) / retired.geometry.groups
    rows = light_rows(retired)
    hit = (np.count_nonzero(rows, axis=2) / rows.shape[2]).prod(axis=1)
    return float(1 - ((1 - chance_of_match(retired)) * (1 - full**2 * hit)).prod())


# Cells fill from the lowest on, so in a full group the highest is used.
def _full_groups(retired: Retired) -> NDArray[np.bool_]:
    full: NDArray[np.bool_] = _groups(retired) >= _HIGHEST_CELL
    return full


def _carried(retired: Retired) -> int:
    """Return how many distinct cells have carried, by their counters in the rows."""
    cells = all_cells(retired.tfms, retired.geometry)
    instance, group, place = np.nonzero((cells & CELL_MAX) >= CELL_PLAIN)
    fingerprint = cells[instance, group, place].astype(np.int64) >> CELL_COUNT_BITS
    rows = light_rows(retired)
    places = np.empty((rows.shape[1], len(group)), np.int64)
    _row_places(group, fingerprint, rows.shape[2], places)
    carried = np.ones(len(group), np.bool_)
    for row, at in enumerate(places):
        carried &= rows[instance, row, at] != 0
    return len(np.unique(fingerprint[carried] * retired.geometry.groups + group[carried]))


@njit
def _row_places(
    group: NDArray[np.int64],
    fingerprint: NDArray[np.int64],
    width: int,
    places: NDArray[np.int64],
) -> None:
    for i in range(len(group)):
        bits = carry_bits(group[i], np.uint64(fingerprint[i]))
        for row in range(len(places)):
            places[row, i] = reduce(row_bits(bits, row + 1), width)


@njit
def _fill_second(
    group: NDArray[np.int64],
    fingerprint: NDArray[np.int64],
    groups: int,
    out: NDArray[np.int64],
) -> None:
    for i in range(len(out)):
        out[i] = second_group(groups, group[i], np.uint64(fingerprint[i]))


def _second_groups(cells: Cells, groups: int) -> NDArray[np.int64]:
    """Return the other group in which each cell could be, (n,)."""
    out = np.empty(len(cells.group), np.int64)
    _fill_second(cells.group, cells.fingerprint, groups, out)
    return out
