"""The twin of bpf/include/light.h: the light part of a TFM, its cells and rows, byte for byte.

A key counts in a cell of the emptier of two groups (Bonomi et al., "An Improved Construction for
Counting Bloom Filters", ESA 2006), the second of which follows from the first and the key's
fingerprint (Fan et al., "Cuckoo Filter", CoNEXT 2014). A cell that is full carries into count-min
rows with conservative update (Estan and Varghese, SIGCOMM 2002); a key whose groups are full counts
in the rows alone. `base` is everywhere where the TFM starts in `memory`, in bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.hashing import fmix64, reduce, row_bits
from simulator.jit import njit, signed
from simulator.layout import (
    CARRY,
    CELL_COUNT_BITS,
    CELL_MAX,
    CELL_PLAIN,
    COUNTER_MAX,
    FINGERPRINTS,
)
from simulator.tfm_memory import NEW_KEYS, SATURATED, Memory, Shape

LIGHT_MAX = CELL_MAX + CARRY * COUNTER_MAX  # the largest estimate of a key that has a cell
CELL_ONES = np.uint64(0x0001000100010001)  # the lowest bit of each cell of a group
CELL_BITS = np.uint64(0xFFFF)
_LOW = np.uint64(0x7FFF) * CELL_ONES
_FINGERPRINT_BITS = (CELL_BITS - np.uint64(CELL_MAX)) * CELL_ONES
_COUNT_BITS = np.uint64(CELL_COUNT_BITS)
_GOLDEN = np.uint64(0x9E3779B1)
_0, _1, _15, _16, _48 = (np.uint64(n) for n in (0, 1, 15, 16, 48))


class Place(NamedTuple):
    """Where the light part counts a key, and what it says of it now."""

    h1: np.uint64
    cell: np.uint64  # the lowest bit of its cell, used or free; 0: its groups are full
    group: int
    fingerprint: np.uint64
    estimate: int  # never below the truth, unless saturated


@njit
def row_position(base: int, shape: Shape, bits: np.uint64, row: int) -> int:
    """Return where the counter that `bits` choose is in row `row`, in bytes."""
    # Row 0 of the bits has chosen a group.
    at = base + shape.rows_offset + row * shape.width
    return at + reduce(row_bits(bits, row + 1), shape.width)


@njit
def rows_estimate(memory: Memory, base: int, shape: Shape, bits: np.uint64) -> int:
    """Return the smallest counter that `bits` choose."""
    smallest = signed(COUNTER_MAX)
    for row in range(shape.rows):
        smallest = min(smallest, signed(memory.u8[row_position(base, shape, bits, row)]))
    return smallest


@njit
def rows_raise(memory: Memory, base: int, shape: Shape, bits: np.uint64, target: int) -> None:
    """Raise only the counters that are below `target` (conservative update)."""
    if target > COUNTER_MAX:
        target = signed(COUNTER_MAX)
        memory.u64[base // 8 + SATURATED] += _1
    for row in range(shape.rows):
        at = row_position(base, shape, bits, row)
        if memory.u8[at] < target:
            memory.u8[at] = target


@njit
def used_cells(group: np.uint64) -> np.uint64:
    """Return the ones of the cells that are not 0; the addition cannot overflow a cell."""
    return ((((group & _LOW) + _LOW) | group) >> _15) & CELL_ONES


@njit
def find_cell(group: np.uint64, fingerprint: np.uint64) -> np.uint64:
    """Return the one of the cell with this fingerprint, or 0."""
    wanted = (fingerprint << _COUNT_BITS) * CELL_ONES
    return used_cells((group ^ wanted) & _FINGERPRINT_BITS) ^ CELL_ONES


@njit
def free_cell(group: np.uint64) -> np.uint64:
    """Return the one of the first free cell, or 0."""
    used = used_cells(group)
    return ((used << _16) | _1) ^ used


@njit
def carry_bits(group: int, fingerprint: np.uint64) -> np.uint64:
    """Return what chooses the counters into which a cell carries."""
    return fmix64((np.uint64(group) << _16) | fingerprint)


@njit
def cell_estimate(
    memory: Memory,
    base: int,
    shape: Shape,
    group: int,
    cell: np.uint64,
    fingerprint: np.uint64,
) -> int:
    """Return the estimate of a key that has a cell."""
    cells = memory.u64[(base + shape.light_offset) // 8 + group]
    value = ((cells & (cell * CELL_BITS)) * CELL_ONES) >> _48
    count = signed(value) & CELL_MAX
    if count < CELL_PLAIN:
        return count
    return count + CARRY * rows_estimate(memory, base, shape, carry_bits(group, fingerprint))


@njit
def second_group(groups: int, first: int, fingerprint: np.uint64) -> int:
    """Return the other group of a fingerprint's key; the second's second is the first."""
    second = reduce(fingerprint * _GOLDEN, groups) + groups - first
    return second if second < groups else second - groups


@njit
def light_find(memory: Memory, base: int, shape: Shape, h1: np.uint64, h2: np.uint64) -> Place:
    """Return where a key counts: its cell, or a free one of the emptier group, or the rows."""
    fingerprint = _1 + (((h2 & CELL_BITS) * np.uint64(FINGERPRINTS)) >> _16)
    first = reduce(row_bits(h1, 0), shape.groups)
    second = second_group(shape.groups, first, fingerprint)
    groups = (base + shape.light_offset) // 8
    place, cells, other = first, memory.u64[groups + first], memory.u64[groups + second]
    found = find_cell(cells, fingerprint)
    # As cells fill from the lowest on, the emptier group is the smaller number.
    if found == _0 and (find_cell(other, fingerprint) != _0 or other < cells):
        place, cells = second, other
        found = find_cell(other, fingerprint)
    estimate = signed(0)
    cell = found
    if found == _0:
        cell = free_cell(cells)
        if cell == _0:
            estimate = rows_estimate(memory, base, shape, h1)
    else:
        estimate = cell_estimate(memory, base, shape, place, cell, fingerprint)
    return Place(h1, cell, place, fingerprint, estimate)


@njit
def at_limit(place: Place) -> bool:
    """Tell whether an estimate stands where saturated ones do: the truth may be above it."""
    if place.cell == _0:
        return place.estimate == COUNTER_MAX
    return place.estimate == LIGHT_MAX


@njit
def _carry(memory: Memory, base: int, shape: Shape, place: Place, target: int) -> int:
    """Carry into the rows what exceeds a cell; returns the count that the cell keeps."""
    bits = carry_bits(place.group, place.fingerprint)
    carried = (target - CELL_PLAIN) // CARRY
    # Others' carries may have raised its counters above its own.
    if rows_estimate(memory, base, shape, bits) > carried:
        return CELL_PLAIN
    rows_raise(memory, base, shape, bits, carried)
    return CELL_MAX if carried > COUNTER_MAX else target - CARRY * carried


@njit
def light_raise(memory: Memory, base: int, shape: Shape, place: Place, target: int) -> None:
    """Raise the estimate of a key to `target`, which is above it."""
    if place.estimate == 0:
        memory.u64[base // 8 + NEW_KEYS] += _1
    if place.cell == _0:
        rows_raise(memory, base, shape, place.h1, target)
        return
    count = target
    if target >= CELL_PLAIN:
        count = _carry(memory, base, shape, place, target)
    value = (place.fingerprint << _COUNT_BITS) | np.uint64(count)
    at = (base + shape.light_offset) // 8 + place.group
    memory.u64[at] = (memory.u64[at] & ~(place.cell * CELL_BITS)) | (place.cell * value)
