"""A cheap look at the live side of a data path: the same for both engines, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.geometry import EPOCH_BUFFERS, Geometry
from simulator.layout import HEADER_FIELDS, Hash
from simulator.light_part import all_cells
from simulator.phantom import mean_error

SAMPLE = 1 << 14  # groups of light cells looked at, over all instances
LEAST_SAMPLE = 1 << 8


@dataclass(frozen=True)
class Glance:
    """The running epoch so far, over all instances."""

    epoch: int
    seen: int  # packets
    exact: int
    sketched: int
    light_packets: int  # of the sketched ones, those in the light parts
    new_keys: int  # first met by a light part
    saturated: int
    fill: float  # share of light cells in use, of a sample of the groups
    error: float  # mean packets answered to phantom keys


def look(tfms: NDArray[np.uint8], epoch: int, geometry: Geometry, family: Hash) -> Glance:
    """Look at one side, contiguous uint8 (instances, value_size); nothing of it is copied."""
    heads = tfms.view(np.uint64)[:, : len(HEADER_FIELDS)].sum(axis=0)
    total = dict(zip(HEADER_FIELDS, heads.tolist(), strict=True))
    touched = total["light_packets"] > 0
    return Glance(
        epoch=epoch,
        seen=total["seen"],
        exact=total["exact"],
        sketched=total["sketched"],
        light_packets=total["light_packets"],
        new_keys=total["new_keys"],
        saturated=total["saturated"],
        fill=_fill(tfms, geometry) if touched else 0.0,
        error=mean_error(tfms, geometry, family) if touched else 0.0,
    )


def live_side(tfms: NDArray[np.uint8], epoch: int, geometry: Geometry) -> NDArray[np.uint8]:
    """Return the TFMs that an epoch writes, of all: uint8 (instances, value_size)."""
    first = epoch % EPOCH_BUFFERS * geometry.instances
    return tfms[first : first + geometry.instances]


# Groups are alike, so the first ones are as good a sample as any.
def _fill(tfms: NDArray[np.uint8], geometry: Geometry) -> float:
    groups = max(LEAST_SAMPLE, SAMPLE // len(tfms))
    cells = all_cells(tfms, geometry)[:, :groups]
    return float(np.count_nonzero(cells) / cells.size)
