"""Keys of an adversary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.hashing import epoch_secret, hash_many, reduce, row_bits
from simulator.layout import Hash
from simulator.traffic.crafted import aim_at, murmur_pairs, murmur_partner, random_flows


@given(st.integers(0, 2**32), st.integers(0, 2**64 - 1))
def test_partners_collide_under_murmur3_whatever_the_seed(draw: int, seed: int) -> None:
    [flow] = random_flows(np.random.default_rng(draw), 1)
    partner = murmur_partner(flow)
    assert (partner != flow).any()
    both = hash_many(Hash.MURMUR3, np.stack([flow, partner]), epoch_secret(seed, 0))
    assert (both[0] == both[1]).all()


@pytest.mark.parametrize("family", [Hash.JHASH, Hash.PMS])
def test_partners_do_not_collide_under_other_families(family: Hash) -> None:
    pairs = murmur_pairs(np.random.default_rng(1), 200)
    hashes = hash_many(family, pairs, epoch_secret(1, 0))
    assert (hashes[::2] != hashes[1::2]).any(axis=1).all()


def test_aimed_keys_share_one_counter_with_their_victim_in_each_row() -> None:
    keys = random_flows(np.random.default_rng(2), 20_000)
    secret = epoch_secret(3, 0)
    chosen = aim_at(keys[0], secret, Hash.PMS, rows=3, width=512, candidates=keys[1:])
    hashes = hash_many(Hash.PMS, np.vstack([keys[:1], chosen]), secret)[:, 0]
    for row in range(3):
        victim, aimed = (reduce(row_bits(h, row), 512) for h in (hashes[0], hashes[row + 1]))
        assert victim == aimed


def test_too_few_candidates_are_an_error() -> None:
    keys = random_flows(np.random.default_rng(2), 3)
    with pytest.raises(ValueError, match="2 candidates do not reach every row of 65536"):
        aim_at(keys[0], epoch_secret(1, 0), Hash.PMS, rows=2, width=65536, candidates=keys[1:])
