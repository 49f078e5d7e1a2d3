from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.bench.statistics import median_interval, ratio_interval

samples = st.lists(st.floats(1, 1000), min_size=1, max_size=30).map(np.array)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_median_of_known_repeats() -> None:
    assert median_interval(np.array([5.0, 1.0, 3.0]), rng()) == (3.0, 1.0, 5.0)


def test_equal_repeats_leave_no_doubt() -> None:
    assert median_interval(np.full(10, 7.0), rng()) == (7.0, 7.0, 7.0)


def test_outlier_moves_neither_median_nor_interval() -> None:
    calm = np.arange(20.0)
    disturbed = np.append(calm[:-1], 1e9)
    assert median_interval(disturbed, rng()) == median_interval(calm, rng())


def test_interval_covers_the_true_median_as_often_as_it_says() -> None:
    source = np.random.default_rng(2)
    runs = [median_interval(source.normal(100, 5, 20), rng()) for _ in range(200)]
    covered = sum(run.low <= 100 <= run.high for run in runs)
    assert 0.88 <= covered / 200 <= 1.0


@given(samples)
def test_interval_holds_the_median(values: np.ndarray) -> None:
    found = median_interval(values, rng())
    assert values.min() <= found.low <= found.median <= found.high <= values.max()


@given(samples)
def test_same_seed_same_interval(values: np.ndarray) -> None:
    assert median_interval(values, rng()) == median_interval(values, rng())


@given(samples, st.floats(0.1, 10))
def test_ratio_cancels_what_slowed_both(values: np.ndarray, factor: float) -> None:
    found = ratio_interval(values * factor, values, rng())
    assert found == pytest.approx((factor, factor, factor))


def test_ratio_refuses_repeats_that_do_not_pair() -> None:
    with pytest.raises(ValueError, match="3 repeats cannot be paired with 2"):
        ratio_interval(np.ones(3), np.ones(2), rng())


def test_median_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no repeats, no median"):
        median_interval(np.array([]), rng())
