"""The sketches against Apache DataSketches, an implementation by others."""

from __future__ import annotations

import datasketches
import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.hashing import epoch_secret
from simulator.sketches.count_min import CountMin
from simulator.sketches.space_saving import SpaceSaving
from simulator.traffic import generate


@pytest.fixture(scope="module")
def packets() -> NDArray[np.uint64]:
    return generate("zipf-1.1", 40_000, 3, keys=6_000).keys


def test_count_min_errs_as_much_as_that_of_datasketches(packets: NDArray[np.uint64]) -> None:
    keys, true = np.unique(packets, axis=0, return_counts=True)
    ours: list[float] = []
    theirs: list[float] = []
    for seed in range(5):
        sketch = CountMin(3, 400, epoch_secret(seed, 0))
        sketch.update(packets)
        ours.append(float((sketch.estimate(keys) - true).mean()))
        oracle = datasketches.count_min_sketch(3, 400, seed)
        for key, count in zip(keys[:, 1], true, strict=True):
            oracle.update(str(key), float(count))
        answers = np.array([oracle.get_estimate(str(key)) for key in keys[:, 1]])
        theirs.append(float((answers - true).mean()))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.1)


def test_space_saving_and_frequent_items_agree_on_every_heavy_key(
    packets: NDArray[np.uint64],
) -> None:
    sketch = SpaceSaving(512, 2)
    sketch.update(packets)
    oracle = datasketches.frequent_strings_sketch(9)  # up to 0.75 * 2^9 keys
    for key in packets[:, 1]:
        oracle.update(str(key))
    heavy = {
        row[0]
        for row in oracle.get_frequent_items(
            datasketches.frequent_items_error_type.NO_FALSE_POSITIVES
        )
    }
    assert len(heavy) > 20
    stored = {str(key[1]): int(count) for key, count in zip(*sketch.top(512), strict=True)}
    for key in heavy:  # both bracket the truth, so the brackets overlap
        assert stored[key] >= oracle.get_lower_bound(key)
        assert stored[key] - sketch.smallest <= oracle.get_upper_bound(key)
