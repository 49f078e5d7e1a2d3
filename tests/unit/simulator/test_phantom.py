"""Phantom keys against truth: the error that a sketch reports of itself."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from simulator.estimate import estimate
from simulator.geometry import Geometry, for_memory
from simulator.glimpse import Glimpse, Retired
from simulator.hashing import epoch_secret
from simulator.layout import FLOW, KEYS, SRC, Hash, Key, Outcome, Setting
from simulator.parsing import Parsed
from simulator.phantom import mean_error, phantom_answers, phantom_keys, textbook_bound
from simulator.sketches.count_min import CountMin
from simulator.traffic import generate, keys_of

PACKETS = 400_000
MANY = 1 << 16  # phantom keys, so that the sampling error does not matter


@lru_cache
def zipf(exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ranks of packets, most packets to the lowest, and the packets of each rank."""
    rng = np.random.default_rng(5)
    weights = np.arange(1, 60_001, dtype=float) ** -exponent
    counts = rng.multinomial(PACKETS, weights / weights.sum())
    return rng.permutation(np.repeat(np.arange(60_000), counts)), counts


def check_count_min(exponent: float, width: int, family: Hash) -> None:
    secret = epoch_secret(3, 1)
    ranks, counts = zipf(exponent)
    sketch = CountMin(3, width, secret, family)
    sketch.update(keys_of(ranks, SRC, 1))
    sent = np.flatnonzero(counts)
    true_error = (sketch.estimate(keys_of(sent, SRC, 1)).astype(int) - counts[sent]).mean()
    phantom = sketch.estimate(phantom_keys(SRC.words, MANY, secret)).mean()
    assert phantom == pytest.approx(true_error, rel=0.1)
    assert textbook_bound(PACKETS, width) > 2 * phantom


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.1])
@pytest.mark.parametrize("width", [8192, 32_768])
def test_phantom_mean_is_the_true_mean_error_of_count_min(exponent: float, width: int) -> None:
    check_count_min(exponent, width, Hash.MURMUR3)


@pytest.mark.parametrize("family", [Hash.JHASH, Hash.PMS])
def test_phantom_mean_holds_for_every_hash_family(family: Hash) -> None:
    check_count_min(0.8, 8192, family)


def finished(key: Key, instances: int, memory: int) -> tuple[Retired, np.ndarray, np.ndarray]:
    """Return an epoch of Low Detail, its distinct keys, and the packets of each."""
    ranks, counts = zipf(0.9)
    twin = Glimpse(for_memory(memory, key, instances), exact_entries=1, setting=Setting.LOW, seed=4)
    flows = np.zeros((PACKETS, FLOW.words), np.uint64)
    flows[:, : key.words] = keys_of(ranks, key, 2)
    outcomes = np.full(PACKETS, Outcome.IP, np.uint8)
    parsed = Parsed(outcomes, flows, np.full(PACKETS, 60, np.uint32))
    which = np.random.default_rng(4).integers(1, instances + 1, PACKETS).astype(np.uint64)
    twin.feed(parsed, np.ones(PACKETS, np.uint64), which)
    sent = np.flatnonzero(counts)
    return twin.swap_epoch(), keys_of(sent, key, 2), counts[sent]


@pytest.mark.parametrize("instances", [1, 2])
@pytest.mark.parametrize("key", ["src", "flow"])
@pytest.mark.parametrize("memory", [128 << 10, 512 << 10])
def test_phantom_mean_bounds_the_true_mean_error_of_a_tfm(
    key: str, memory: int, instances: int
) -> None:
    retired, distinct, counts = finished(KEYS[key], instances, memory)
    true_error = (estimate(retired, distinct).packets.astype(int) - counts).mean()
    measured = mean_error(retired.tfms, retired.geometry, retired.hash)
    answers = phantom_answers(retired.tfms, retired.geometry, retired.hash, MANY)
    assert true_error < answers.mean()
    # What a tick can afford to ask lies within four standard errors of the whole.
    spread = 4 * answers.std() / np.sqrt(2048 // instances)
    assert measured == pytest.approx(answers.mean(), abs=spread)


def test_empty_light_part_answers_nothing() -> None:
    geometry = Geometry(SRC, 2, 4, 3, 64)
    tfms = Glimpse(geometry, exact_entries=1).swap_epoch().tfms
    assert phantom_answers(tfms, geometry, Hash.MURMUR3, 100).sum() == 0


def test_answers_of_instances_add_up() -> None:
    geometry = Geometry(SRC, 2, 1, 2, 8)
    tfms = Glimpse(geometry, exact_entries=1).swap_epoch().tfms
    tfms[:, geometry.light_offset : geometry.rows_offset] = 255  # no cell is free
    tfms[0, geometry.rows_offset : geometry.rows_offset + 16] = 3
    tfms[1, geometry.rows_offset : geometry.rows_offset + 16] = 4
    assert set(phantom_answers(tfms, geometry, Hash.MURMUR3, 50).tolist()) == {7}


def test_phantom_keys_follow_the_secret_and_are_no_addresses_in_use() -> None:
    keys = phantom_keys(FLOW.words, 1000, epoch_secret(1, 0))
    assert (keys == phantom_keys(FLOW.words, 1000, epoch_secret(1, 0))).all()
    assert (keys != phantom_keys(FLOW.words, 1000, epoch_secret(1, 1))).any()
    assert len(np.unique(keys)) == keys.size
    # A flow key ends in three zero bytes.
    assert (keys[:, 4] >> np.uint64(40) != 0).all()
    sent = np.unique(generate("caida-2016", 10_000, seed=1)[0].view(np.uint64).reshape(-1))
    assert not np.isin(keys, sent).any()
