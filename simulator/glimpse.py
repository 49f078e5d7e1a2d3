"""The twin of bpf/glimpse.bpf.c: both details, the trip, the epochs and the ledger, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulator import exact_table
from simulator.exact_table import ExactTable
from simulator.geometry import EPOCH_BUFFERS, Geometry
from simulator.hashing import epoch_secret
from simulator.heavy import HeavyPart, heavy_part
from simulator.jit import njit, signed
from simulator.layout import CONTROL, HEADER, Cause, Detail, Hash, Outcome, Setting
from simulator.parsing import FLOW_WORDS, Parsed
from simulator.sketches import tfm
from simulator.sketches.tfm import Memory, Shape

if TYPE_CHECKING:
    from simulator.estimate import Known

# Places of the control fields, in 64-bit words.
DETAIL, BUDGET, ACTIVE, CLOCK, INSTANCE = range(5)
TRIP, TRIP_NS, SPENT = range(8, 11)
_IP, _NOT_IP = int(Outcome.IP), int(Outcome.NOT_IP)
_AUTO, _LOW_SETTING = int(Setting.AUTO), int(Setting.LOW)
_LOW = int(Detail.LOW)
_BUDGET_SPENT, _TABLE_FULL = int(Cause.BUDGET), int(Cause.TABLE_FULL)
_8 = np.uint64(8)
_1 = np.uint64(1)


@njit
def _is_low(control: NDArray[np.uint64], setting: int) -> bool:
    if setting != _AUTO:
        return setting == _LOW_SETTING
    if control[DETAIL] & np.uint64(0xFF) == _LOW:
        return True
    return bool(control[DETAIL] >> _8 != control[TRIP] >> _8)


@njit
def _trip(control: NDArray[np.uint64], setting: int, cause: int, now: np.uint64) -> None:
    if setting != _AUTO or control[TRIP] >> _8 != control[DETAIL] >> _8:
        return
    control[TRIP] = (((control[TRIP] >> _8) + _1) << _8) | np.uint64(cause)
    control[TRIP_NS] = now


@njit
def _count_exact(
    table: ExactTable,
    control: NDArray[np.uint64],
    setting: int,
    words: NDArray[np.uint64],
    key: int,
    size: np.uint64,
) -> bool:
    """Count a packet in the exact table; False if it must go to the TFM."""
    now = control[CLOCK]
    record = exact_table.find_record(table, words, key)
    if table.cells[record + exact_table.PACKETS] != 0:
        exact_table.add(table, record, size, now)
        return True
    spent = control[SPENT]
    control[SPENT] += _1
    if spent >= control[BUDGET] and setting == _AUTO:
        _trip(control, setting, _BUDGET_SPENT, now)
        return False
    if exact_table.insert(table, record, words, key, size, now):
        return True
    _trip(control, setting, _TABLE_FULL, now)
    return False


@njit
def _feed(
    control: NDArray[np.uint64],
    memory: Memory,
    tables: tuple[ExactTable, ExactTable],
    shape: Shape,
    setting: int,
    instances: int,
    outcomes: NDArray[np.uint8],
    flows: NDArray[np.uint64],
    lengths: NDArray[np.uint32],
    clocks: NDArray[np.uint64],
    which: NDArray[np.uint64],
) -> None:
    u64 = memory.u64
    side = signed(control[ACTIVE] & _1)
    table = tables[0] if side == 0 else tables[1]
    for i in range(len(outcomes)):
        control[CLOCK] = clocks[i]
        control[INSTANCE] = which[i]
        base = (side * instances + signed(which[i]) - 1) * shape.size
        header = base // 8
        size = np.uint64(lengths[i])
        u64[header + tfm.SEEN] += _1
        u64[header + tfm.SEEN_BYTES] += size
        if outcomes[i] != _IP:
            u64[header + (tfm.NOT_IP if outcomes[i] == _NOT_IP else tfm.MALFORMED)] += _1
            u64[header + tfm.OTHER_BYTES] += size
        elif not _is_low(control, setting) and _count_exact(
            table, control, setting, flows, i * FLOW_WORDS, size
        ):
            u64[header + tfm.EXACT] += _1
            u64[header + tfm.EXACT_BYTES] += size
        else:
            tfm.tfm_count(memory, base, shape, flows, i * FLOW_WORDS, size)


@dataclass(frozen=True)
class Retired:
    """All that one finished epoch left: what every query, metric and comparison reads."""

    epoch: int
    geometry: Geometry
    hash: Hash
    tfms: NDArray[np.uint8]  # (instances, value_size)
    exact_keys: NDArray[np.uint64]  # (n, w)
    exact_records: NDArray[np.uint64]  # (n, 4): packets, bytes, first_ns, last_ns

    @property
    def headers(self) -> NDArray[np.void]:
        """Return the heads of the TFMs, one per instance."""
        return self.tfms[:, : HEADER.itemsize].copy().view(HEADER)[:, 0]

    @cached_property
    def heavy(self) -> list[HeavyPart]:
        """Return the heavy parts, one per instance, decoded once for all that ask."""
        return [heavy_part(tfm, self.geometry) for tfm in self.tfms]

    @cached_property
    def known(self) -> Known:
        """Return every key that can be recovered, with its estimate, decoded once."""
        from simulator.estimate import known  # which reads what this module writes

        return known(self)


class Glimpse:
    """The state of the data path and the control changes that user space makes to it."""

    def __init__(
        self,
        geometry: Geometry,
        *,
        exact_entries: int,
        setting: Setting = Setting.AUTO,
        hash: Hash = Hash.MURMUR3,  # noqa: A002 - the field's own word
        seed: int = 0,
    ) -> None:
        """Start in epoch 0, High Detail, with an empty budget."""
        self.geometry, self.setting, self.hash, self.seed = geometry, setting, hash, seed
        self.control = np.zeros(CONTROL.itemsize // 8, np.uint64)
        self.tfms = geometry.empty()
        self._memory = tfm.views(self.tfms)
        self._shape = tfm.shape_of(geometry, hash)
        self._tables = (
            exact_table.exact_table(geometry.key.words, exact_entries),
            exact_table.exact_table(geometry.key.words, exact_entries),
        )
        for epoch in range(EPOCH_BUFFERS):
            self._prepare(epoch)

    def feed(
        self, parsed: Parsed, clocks: NDArray[np.uint64], instances: NDArray[np.uint64]
    ) -> None:
        """Run packets through the data path.

        `clocks` (n,) is the time of each in ns, not 0; `instances` (n,) is instance + 1.
        """
        _feed(
            self.control,
            self._memory,
            self._tables,
            self._shape,
            int(self.setting),
            self.geometry.instances,
            parsed.outcomes,
            parsed.flows.reshape(-1),
            parsed.lengths,
            clocks,
            instances,
        )

    def order(self, word: int) -> None:
        """Write the control word `detail`: trip generation << 8 | detail."""
        self.control[DETAIL] = word

    def grant(self, budget: int) -> None:
        """Write the cumulative new-key budget."""
        self.control[BUDGET] = budget

    def swap_epoch(self) -> Retired:
        """Begin the next epoch; returns the finished one and empties its side."""
        epoch = int(self.control[ACTIVE])
        self.control[ACTIVE] += _1
        side = epoch % EPOCH_BUFFERS
        retired = Retired(
            epoch,
            self.geometry,
            self.hash,
            self._side(side).copy(),
            *exact_table.contents(self._tables[side]),
        )
        exact_table.clear(self._tables[side])
        self._prepare(epoch + EPOCH_BUFFERS)
        return retired

    def _side(self, side: int) -> NDArray[np.uint8]:
        instances = self.geometry.instances
        return self.tfms[side * instances : (side + 1) * instances]

    def _prepare(self, epoch: int) -> None:
        prepare(self._side(epoch % EPOCH_BUFFERS), epoch, self.seed)


def prepare(tfms: NDArray[np.uint8], epoch: int, seed: int) -> None:
    """Make one side's TFMs, uint8 (instances, value_size), ready for a future epoch."""
    tfms[:] = 0
    words = tfms.view(np.uint64)
    words[:, tfm.EPOCH] = epoch
    words[:, tfm.HASH_KEY : HEADER.itemsize // 8] = epoch_secret(seed, epoch)
