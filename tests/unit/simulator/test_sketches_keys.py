"""Small cases of the sketches that hold whole keys."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.hashing import epoch_secret, hash_many
from simulator.layout import Hash
from simulator.sketches.coco import Coco
from simulator.sketches.elastic import LAMBDA, SLOTS, Elastic
from simulator.sketches.heavy_keeper import HeavyKeeper
from simulator.sketches.space_saving import SpaceSaving


def keys_of(*ranks: int) -> NDArray[np.uint64]:
    return np.array([[0, rank + 1] for rank in ranks], np.uint64).reshape(-1, 2)


def held(sketch: Elastic | HeavyKeeper | Coco | SpaceSaving) -> dict[int, int]:
    """Return the stored keys and their counts."""
    keys, counts = sketch.top(10**9)
    return {int(key[1]) - 1: int(count) for key, count in zip(keys, counts, strict=True)}


def test_elastic_counts_in_the_heavy_part_while_slots_are_free() -> None:
    sketch = Elastic(1, 100, 2, seed=1)
    sketch.update(keys_of(*range(SLOTS), 3, 3))
    assert held(sketch) == {rank: 1 + 2 * (rank == 3) for rank in range(SLOTS)}
    assert not sketch.parts.light.any()


def test_elastic_sends_packets_to_the_light_part_until_enough_vote_against_a_key() -> None:
    sketch = Elastic(1, 10_000, 2, seed=1)
    sketch.update(keys_of(*list(range(SLOTS)) * 2))  # each slot has 2 packets
    sketch.update(keys_of(*[99] * (2 * LAMBDA - 1)))
    assert 99 not in held(sketch)
    assert sketch.parts.light.sum() == 2 * LAMBDA - 1
    sketch.update(keys_of(99))
    assert held(sketch)[99] == 2 * LAMBDA  # 1 in the heavy part, flagged, and its light packets
    assert sketch.parts.light.sum() == 2 * LAMBDA - 1 + 2  # the loser's two packets
    assert sketch.estimate(keys_of(0))[0] == 2


def test_elastic_light_counters_saturate() -> None:
    sketch = Elastic(1, 1, 2, seed=1)
    sketch.update(keys_of(*list(range(SLOTS)) * 1000))
    sketch.update(keys_of(*[99] * 300))
    assert sketch.estimate(keys_of(99))[0] == 255


def test_heavy_keeper_large_keys_survive_a_flood_of_small_ones() -> None:
    rng = np.random.default_rng(1)
    sketch = HeavyKeeper(2, 40, 4, 2, seed=1)
    large = np.repeat(np.arange(4), 3_000)
    small = rng.integers(10, 30_000, 30_000)
    sketch.update(keys_of(*rng.permutation(np.concatenate([large, small]))))
    found = held(sketch)
    assert set(found) == {0, 1, 2, 3}
    assert all(2_900 < count <= 3_000 for count in found.values())


def test_heavy_keeper_decay_lets_a_new_key_in() -> None:
    sketch = HeavyKeeper(1, 1, 1, 2, seed=1)
    sketch.update(keys_of(0))
    sketch.update(keys_of(*[1] * 50))  # a count of 1 goes with probability 1 / 1.08
    assert sketch.parts.counts[0, 0] > 40
    assert sketch.estimate(keys_of(0))[0] <= 1


def test_heavy_keeper_keeps_keys_of_one_fingerprint_apart() -> None:
    ranks = np.arange(3_000)
    marks = hash_many(Hash.MURMUR3, keys_of(*ranks), epoch_secret(1, 0))[:, 1] >> np.uint64(48)
    order = np.argsort(marks, kind="stable")
    twin = int(np.flatnonzero(np.diff(marks[order].astype(np.int64)) == 0)[0])
    one, other = (int(ranks[order[place]]) for place in (twin, twin + 1))
    sketch = HeavyKeeper(1, 1, 2, 2, seed=1)  # one bucket, which both take for theirs
    sketch.update(keys_of(*[one] * 100, *[other] * 50))
    assert held(sketch) == {one: 100}


def test_coco_gives_every_packet_to_some_key() -> None:
    sketch = Coco(2, 8, 2, seed=1)
    sketch.update(keys_of(*range(1_000)))
    assert sum(held(sketch).values()) == 1_000
    assert len(held(sketch)) == 16


def test_coco_raises_the_smaller_of_two_buckets() -> None:
    sketch = Coco(2, 1, 2, seed=1)
    sketch.update(keys_of(*[0] * 5, 1))
    assert held(sketch) == {0: 5, 1: 1}
    sketch.update(keys_of(2))
    assert sorted(held(sketch).values()) == [2, 5]


def test_space_saving_replaces_the_smallest_and_counts_on() -> None:
    sketch = SpaceSaving(2, 2)
    sketch.update(keys_of(0, 0, 0, 1, 2))
    assert held(sketch) == {0: 3, 2: 2}
    assert sketch.smallest == 2
    assert sketch.estimate(keys_of(1))[0] == 0


@given(ranks=st.lists(st.integers(0, 40), min_size=1, max_size=400), entries=st.integers(1, 12))
@settings(max_examples=200)
def test_space_saving_keeps_its_guarantees(ranks: list[int], entries: int) -> None:
    sketch = SpaceSaving(entries, 2)
    sketch.update(keys_of(*ranks))
    true, found = Counter(ranks), held(sketch)
    assert sketch.smallest <= len(ranks) / entries
    for key, count in found.items():
        assert true[key] <= count <= true[key] + sketch.smallest
    assert all(key in found for key, count in true.items() if count > len(ranks) / entries)
    assert all(true[key] <= sketch.smallest for key in true if key not in found)


@given(ranks=st.lists(st.integers(0, 40), min_size=1, max_size=400), entries=st.integers(1, 12))
def test_top_table_stays_a_heap_with_a_sound_index(ranks: list[int], entries: int) -> None:
    sketch = SpaceSaving(entries, 2)
    sketch.update(keys_of(*ranks))
    table, used = sketch.table, int(sketch.table.used[0])
    counts = table.counts[table.order[:used]]
    assert all(counts[(i - 1) // 2] <= counts[i] for i in range(1, used))
    assert [int(table.place[entry]) for entry in table.order[:used]] == list(range(used))
    keys = table.keys.reshape(-1, 2)[:used]
    assert np.array_equal(sketch.estimate(keys), table.counts[:used])


def test_space_saving_ignores_its_seed() -> None:
    one, other = (SpaceSaving.for_memory(500, 2, seed) for seed in (1, 2))
    for sketch in (one, other):
        sketch.update(keys_of(*range(50)))
    assert one.state() == other.state()


@pytest.mark.parametrize("kind", [Elastic, HeavyKeeper, SpaceSaving, Coco])
def test_top_of_none_is_empty(kind: type[Elastic]) -> None:
    sketch = kind.for_memory(5_000, 2, 1)
    sketch.update(keys_of(1, 2))
    assert len(sketch.top(0).keys) == 0
