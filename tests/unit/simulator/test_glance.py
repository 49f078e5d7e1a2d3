"""A look at the live side: the headers' counts, fill and error, and nothing of it disturbed."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.geometry import Geometry, for_memory
from simulator.glance import Glance, live_side, look
from simulator.glimpse import Glimpse
from simulator.layout import SRC, Hash, Setting
from simulator.light_part import light_fill
from simulator.parsing import Parsed
from simulator.phantom import mean_error


def fed(geometry: Geometry, count: int, setting: Setting = Setting.LOW) -> Glimpse:
    twin = Glimpse(geometry, exact_entries=10, setting=setting, seed=3)
    twin.grant(1 << 40)
    flows = np.zeros((count, 5), np.uint64)
    flows[:, 1] = np.arange(count) % max(1, count // 2)
    outcomes = np.zeros(count, np.uint8)
    outcomes[:2], outcomes[2:3] = 1, 2
    parsed = Parsed(outcomes, flows, np.full(count, 60, np.uint32))
    which = np.arange(count, dtype=np.uint64) % np.uint64(geometry.instances) + np.uint64(1)
    twin.feed(parsed, np.ones(count, np.uint64), which)
    return twin


def glance(twin: Glimpse) -> Glance:
    epoch = int(twin.control[2])
    return look(live_side(twin.tfms, epoch, twin.geometry), epoch, twin.geometry, twin.hash)


def test_untouched_side_shows_nothing() -> None:
    assert glance(fed(Geometry(SRC, 2, 4, 3, 64), 0)) == Glance(0, 0, 0, 0, 0, 0, 0, 0.0, 0.0)


@pytest.mark.parametrize("instances", [1, 3])
def test_counts_are_those_of_the_headers_of_all_instances(instances: int) -> None:
    twin = fed(Geometry(SRC, instances, 2, 3, 512), 2000, Setting.HIGH)
    found, before = glance(twin), twin.tfms.copy()
    retired = twin.swap_epoch()
    assert (before[:instances] == retired.tfms).all()
    for name in ("seen", "exact", "sketched", "light_packets", "new_keys", "saturated"):
        assert getattr(found, name) == int(retired.headers[name].sum()) > -1
    assert (found.seen, found.exact > 0, found.new_keys > 0) == (2000, True, True)


@pytest.mark.parametrize("instances", [1, 2])
def test_fill_of_a_sample_is_close_to_that_of_all_cells(instances: int) -> None:
    twin = fed(for_memory(1 << 20, SRC, instances), 60_000)
    found, retired = glance(twin), twin.swap_epoch()
    assert found.fill == pytest.approx(light_fill(retired), abs=0.01)
    assert found.error == mean_error(retired.tfms, retired.geometry, Hash.MURMUR3)


def test_look_goes_to_the_side_that_is_written() -> None:
    twin = fed(Geometry(SRC, 2, 4, 3, 64), 100)
    twin.swap_epoch()
    found = glance(twin)
    assert (found.epoch, found.seen) == (1, 0)
