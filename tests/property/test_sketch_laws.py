"""Every sketch of the registry keeps what all must keep, and the laws that it declares."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.sketches import SKETCHES
from simulator.sketches.protocol import Law, Sketch

ROOT = Path(__file__).parents[2]
BUDGET = 6_000  # bytes: small enough for collisions, large enough for every sketch
WORDS = (2, 5)  # the data path's keys, src and flow
ALL = sorted(SKETCHES)
# Fewer packets than a u8 counter holds, so that none can be saturated.
RANKS = st.lists(st.integers(0, 90), min_size=1, max_size=250)


def keys_of(ranks: list[int] | NDArray[np.int64], words: int = 2) -> NDArray[np.uint64]:
    keys = np.zeros((len(ranks), words), np.uint64)
    keys[:, 1] = np.array(ranks, np.uint64) + np.uint64(1)
    return keys


def counts_of(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    return np.unique(keys, axis=0, return_counts=True)


def make(name: str, words: int = 2, seed: int = 1, budget: int = BUDGET) -> Sketch:
    return SKETCHES[name].for_memory(budget, words, seed)


def fed(name: str, *batches: NDArray[np.uint64], seed: int = 1) -> Sketch:
    sketch = make(name, batches[0].shape[1], seed)
    for batch in batches:
        sketch.update(batch)
    return sketch


def declaring(law: Law) -> list[str]:
    return [name for name in ALL if law in SKETCHES[name].laws]


@pytest.mark.parametrize("law", Law)
def test_every_law_is_declared_by_some_sketch(law: Law) -> None:
    assert declaring(law)


@pytest.mark.parametrize("name", ALL)
def test_every_sketch_has_its_page(name: str) -> None:
    page = ROOT / "docs" / "sketches" / f"{name.replace('_', '-')}.md"
    assert page.exists(), f"write {page.relative_to(ROOT)}: every sketch has a page"


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", ALL)
@settings(max_examples=25)
@given(budget=st.integers(4_000, 300_000))
def test_memory_stays_within_the_budget_and_uses_it(name: str, words: int, budget: int) -> None:
    memory = make(name, words, budget=budget).memory
    assert budget - 1_200 <= memory <= budget  # a TFM is a multiple of a cache line


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", ALL)
def test_too_small_a_budget_is_refused_with_the_least_that_works(name: str, words: int) -> None:
    with pytest.raises(ValueError, match=r"^8 bytes hold no .*: at least \d+ bytes are ") as error:
        make(name, words, budget=8)
    least = int(re.findall(r"at least (\d+) bytes", str(error.value))[0])
    assert make(name, words, budget=least).memory <= least
    with pytest.raises(ValueError, match=f"at least {least} bytes"):
        make(name, words, budget=least - 1)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", ALL)
def test_an_empty_sketch_knows_no_packets(name: str, words: int) -> None:
    sketch = make(name, words)
    assert not sketch.estimate(keys_of([0, 1, 2], words)).any()
    top = sketch.top(5)
    assert top is None or (top.keys.shape == (0, words) and len(top.counts) == 0)


@pytest.mark.parametrize("name", ALL)
def test_no_packets_change_nothing(name: str) -> None:
    sketch = fed(name, keys_of([1, 2, 3]))
    before = sketch.state()
    sketch.update(keys_of([]))
    assert sketch.state() == before
    assert len(sketch.estimate(keys_of([]))) == 0


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("name", ALL)
def test_a_million_packets_of_one_key_are_counted_nearly_exactly(name: str, words: int) -> None:
    sketch = fed(name, keys_of(np.full(1_000_000, 7), words))
    estimate = float(sketch.estimate(keys_of([7], words))[0])
    # Sampling of 10,000 packets and more: five standard deviations.
    assert estimate == pytest.approx(1_000_000, rel=0.05)
    if Law.DETERMINISTIC in sketch.laws:
        assert estimate == 1_000_000


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=25)
@given(ranks=RANKS, cut=st.integers(0, 250))
def test_same_seed_gives_the_same_bytes_however_packets_are_batched(
    name: str, ranks: list[int], cut: int
) -> None:
    keys = keys_of(ranks)
    assert fed(name, keys).state() == fed(name, keys[:cut], keys[cut:]).state()


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=25)
@given(ranks=RANKS)
def test_a_question_changes_nothing(name: str, ranks: list[int]) -> None:
    sketch = fed(name, keys_of(ranks))
    before = sketch.state()
    sketch.estimate(keys_of(range(100)))
    sketch.top(10)
    assert sketch.state() == before


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=25)
@given(ranks=RANKS, count=st.integers(0, 100))
def test_top_names_distinct_keys_that_were_seen_largest_first(
    name: str, ranks: list[int], count: int
) -> None:
    keys = keys_of(ranks)
    sketch = fed(name, keys)
    top = sketch.top(count)
    if top is None:
        return
    assert len(top.keys) == len(top.counts) <= count
    assert {k.tobytes() for k in top.keys} <= {k.tobytes() for k in keys}
    assert len(np.unique(top.keys, axis=0)) == len(top.keys)
    assert (np.diff(top.counts.astype(np.int64)) <= 0).all()
    assert np.array_equal(top.counts, sketch.estimate(top.keys))


@pytest.mark.parametrize("name", declaring(Law.LINEAR))
@given(first=RANKS, second=RANKS)
def test_linear_sketches_merge_as_if_fed_together(
    name: str, first: list[int], second: list[int]
) -> None:
    merged, other = fed(name, keys_of(first)), fed(name, keys_of(second))
    merged.merge(other)
    assert merged.state() == fed(name, keys_of(first + second)).state()


@pytest.mark.parametrize("name", declaring(Law.ORDER_FREE))
@given(ranks=RANKS, data=st.data())
def test_order_free_sketches_forget_the_order(
    name: str, ranks: list[int], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(ranks))
    assert fed(name, keys_of(ranks)).state() == fed(name, keys_of(shuffled)).state()


@pytest.mark.parametrize("name", declaring(Law.NEVER_UNDER))
@given(ranks=RANKS, seed=st.integers(0, 2**63), budget=st.integers(1_200, 4_000))
def test_never_under_sketches_never_underestimate(
    name: str, ranks: list[int], seed: int, budget: int
) -> None:
    try:
        sketch = make(name, seed=seed, budget=budget)
    except ValueError:  # a TFM needs more
        sketch = make(name, seed=seed)
    keys, true = counts_of(keys_of(ranks))
    sketch.update(keys_of(ranks))
    assert (sketch.estimate(keys) >= true).all()


@pytest.mark.parametrize("name", declaring(Law.CONSERVING))
@given(ranks=RANKS, budget=st.integers(200, 4_000))
def test_conserving_sketches_lose_no_packet(name: str, ranks: list[int], budget: int) -> None:
    sketch = make(name, budget=budget)
    sketch.update(keys_of(ranks))
    top = sketch.top(10**9)
    assert top is not None
    assert top.counts.sum() == len(ranks)


@pytest.mark.parametrize("name", declaring(Law.DETERMINISTIC))
@given(packets=st.integers(1, 3_000), seed=st.integers(0, 2**63))
def test_deterministic_sketches_count_one_key_exactly_for_every_seed(
    name: str, packets: int, seed: int
) -> None:
    sketch = make(name, seed=seed)
    sketch.update(keys_of([3] * packets))
    assert sketch.estimate(keys_of([3]))[0] == packets


@pytest.mark.parametrize("name", declaring(Law.UNBIASED))
def test_unbiased_sketches_are_right_on_average(name: str) -> None:
    rng = np.random.default_rng(5)
    ranks = rng.permutation(np.concatenate([np.zeros(400, int), rng.integers(1, 3_000, 12_000)]))
    keys = keys_of(ranks)
    answers = []
    for seed in range(400):
        sketch = make(name, seed=seed, budget=3_000)
        if name == "sampled":  # as long as there is room
            sketch = make(name, seed=seed, budget=60_000)
        sketch.update(keys)
        answers.append(float(sketch.estimate(keys_of([0]))[0]))
    error = np.std(answers) / np.sqrt(len(answers))
    assert error > 0
    assert abs(np.mean(answers) - 400) < 4 * error
