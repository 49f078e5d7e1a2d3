"""Small cases of the sketches that count a sample, and of the random numbers they draw."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.sketches.draws import draw, draw_gap, draw_one_in, draw_unit
from simulator.sketches.nitro import Nitro
from simulator.sketches.sampled import Sampled


def keys_of(*ranks: int) -> NDArray[np.uint64]:
    return np.array([[0, rank + 1] for rank in ranks], np.uint64).reshape(-1, 2)


def state(seed: int) -> NDArray[np.uint64]:
    return np.array([seed], np.uint64)


def test_draws_are_those_of_splitmix64_with_murmurs_finaliser() -> None:
    generator, mask = state(0), 2**64 - 1
    value = 0x9E3779B97F4A7C15
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor & mask
    assert int(draw(generator)) == value ^ value >> 33
    assert int(generator[0]) == 0x9E3779B97F4A7C15


def test_draws_have_the_probabilities_they_are_asked_for() -> None:
    generator = state(3)
    units = np.array([draw_unit(generator) for _ in range(20_000)])
    assert 0 < units.min() < units.max() < 1
    assert units.mean() == pytest.approx(0.5, abs=0.01)
    hits = sum(draw_one_in(generator, 8) for _ in range(20_000))
    assert hits / 20_000 == pytest.approx(1 / 8, abs=0.01)
    gaps = np.array([draw_gap(generator, 0.05) for _ in range(20_000)])
    assert gaps.min() == 0
    assert gaps.mean() == pytest.approx(19, abs=0.6)
    assert draw_gap(generator, 1.0) == 0


def test_nitro_of_every_packet_is_a_count_sketch() -> None:
    sketch = Nitro(5, 100, 4, 2, seed=1, every=1)
    sketch.update(keys_of(*[7] * 30, *[8] * 20))
    assert np.abs(sketch.parts.grid).sum() == 5 * 50
    assert sketch.estimate(keys_of(7, 8)).tolist() == [30, 20]


def test_nitro_updates_as_many_rows_as_it_should() -> None:
    sketch = Nitro(5, 100, 4, 2, seed=1, every=100)
    sketch.update(keys_of(*range(40_000)))
    one_key = Nitro(5, 100, 4, 2, seed=1, every=100)
    one_key.update(keys_of(*[7] * 40_000))
    updates = np.abs(one_key.parts.grid).sum() / 100
    assert updates == pytest.approx(5 * 40_000 / 100, rel=0.1)
    assert (sketch.parts.grid % 100 == 0).all()


def test_a_row_of_nitro_is_unbiased() -> None:
    answers = []
    for seed in range(600):
        sketch = Nitro(1, 50, 1, 2, seed=seed, every=20)
        sketch.update(keys_of(*[7] * 2_000))
        answers.append(float(sketch.estimate(keys_of(7))[0]))
    assert abs(np.mean(answers) - 2_000) < 4 * np.std(answers) / np.sqrt(600)


def test_nitro_keeps_its_largest_keys() -> None:
    rng = np.random.default_rng(2)
    sketch = Nitro(5, 2_000, 3, 2, seed=1, every=10)
    packets = np.concatenate([np.repeat([1, 2, 3], 3_000), rng.integers(10, 9_000, 9_000)])
    sketch.update(keys_of(*rng.permutation(packets)))
    assert {int(key[1]) - 1 for key in sketch.top(3).keys} == {1, 2, 3}


def test_sampled_counts_in_multiples_of_n() -> None:
    sketch = Sampled(100, 2, seed=1, every=16)
    sketch.update(keys_of(*[7] * 16_000))
    estimate = int(sketch.estimate(keys_of(7))[0])
    assert estimate % 16 == 0
    assert estimate == pytest.approx(16_000, rel=0.15)


def test_sampled_of_every_packet_is_exact_until_full_and_then_refuses_new_keys() -> None:
    sketch = Sampled(16, 2, seed=1, every=1)  # 14 of 16 slots may be used
    sketch.update(keys_of(*range(20), *range(20)))
    counts = sketch.estimate(keys_of(*range(20)))
    assert counts.tolist() == [2] * 14 + [0] * 6
