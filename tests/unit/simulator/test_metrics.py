from __future__ import annotations

import math

import numpy as np
import pytest

from simulator import metrics
from simulator.metrics import Accuracy, HeavyHitters
from simulator.tally import Tally

TRUE = np.array([100, 10, 1, 1], np.uint64)
ESTIMATED = np.array([102, 10, 2, 0], np.uint64)


def keys(*numbers: int) -> np.ndarray:
    return np.array([[n, 7] for n in numbers], np.uint64)


def test_one_minus_are_averages_relative_errors_over_keys() -> None:
    assert metrics.one_minus_are(TRUE, ESTIMATED) == pytest.approx(1 - (0.02 + 0 + 1 + 1) / 4)


def test_aae_averages_errors_in_packets() -> None:
    assert metrics.aae(TRUE, ESTIMATED) == pytest.approx(1.0)


def test_weighted_divides_all_errors_by_all_packets() -> None:
    assert metrics.weighted(TRUE, ESTIMATED) == pytest.approx(1 - 4 / 112)


def test_within_5_percent_counts_its_limit() -> None:
    true, estimated = np.array([100, 100, 20]), np.array([105, 106, 19])
    assert metrics.within_5_percent(true, estimated) == pytest.approx(2 / 3)


def test_topk_are_looks_at_the_largest_true_keys() -> None:
    assert metrics.topk_are(TRUE, ESTIMATED, 2) == pytest.approx(0.01)
    assert metrics.topk_are(TRUE, ESTIMATED) == pytest.approx(2.02 / 4)


def test_unsigned_underestimates_do_not_wrap_around() -> None:
    assert metrics.aae(np.array([5], np.uint64), np.array([3], np.uint64)) == 2


def test_heavy_hitters_compares_sets_of_keys() -> None:
    true = np.array([500, 300, 150, 50], np.uint64)
    found = metrics.heavy_hitters(
        keys(1, 2, 3, 4), true, keys(2, 1, 9, 3), np.array([310, 500, 200, 90]), share=0.1
    )
    # heavy: 1, 2, 3; named: 2, 1, 9
    assert found == HeavyHitters(2 / 3, 2 / 3, pytest.approx(2 / 3))


def test_heavy_hitters_counts_the_threshold_itself() -> None:
    true = np.array([9_998, 2], np.uint64)
    found = metrics.heavy_hitters(keys(1, 2), true, keys(1, 2), true)
    assert found == HeavyHitters(1.0, 1.0, 1.0)


def test_heavy_hitters_without_any_are_undefined() -> None:
    true = np.ones(10_000, np.uint64)
    found = metrics.heavy_hitters(
        keys(*range(10_000)), true, np.zeros((0, 2), np.uint64), np.zeros(0)
    )
    assert found == HeavyHitters(None, None, None)


def test_heavy_hitters_not_found_have_recall_0() -> None:
    nothing = np.zeros((0, 2), np.uint64), np.zeros(0)
    found = metrics.heavy_hitters(keys(1), np.array([5], np.uint64), *nothing)
    assert found == HeavyHitters(None, 0.0, 0.0)


def test_cardinality_error_is_relative() -> None:
    assert metrics.cardinality_error(200, 190.0) == pytest.approx(0.05)
    assert metrics.cardinality_error(0, 5.0) is None


def test_wmre_compares_distributions() -> None:
    assert metrics.wmre(np.array([1, 1, 2]), np.array([2.2, 1, 1])) == 0
    assert metrics.wmre(np.array([1, 1]), np.array([3, 4])) == 2
    assert metrics.wmre(np.array([1, 1, 5]), np.array([1, 2, 5])) == pytest.approx(2 / 3)


def test_entropy_is_in_bits() -> None:
    assert metrics.entropy(np.array([4, 4, 4, 4], np.uint64)) == pytest.approx(2)
    assert metrics.entropy(np.array([3, 1, 0])) == pytest.approx(0.75 * math.log2(4 / 3) + 0.5)


def test_entropy_error_is_relative() -> None:
    true, estimated = np.array([1, 1, 1, 1]), np.array([2, 2, 0, 0])
    assert metrics.entropy_error(true, estimated) == pytest.approx(0.5)
    assert metrics.entropy_error(np.array([9]), np.array([9])) is None


def test_measures_of_no_keys_are_undefined() -> None:
    nothing = np.zeros(0, np.uint64)
    empty = np.zeros((0, 2), np.uint64)
    measured = metrics.accuracy(empty, nothing, nothing, found=(empty, nothing), cardinality=0.0)
    assert measured == Accuracy()


def test_accuracy_gathers_every_measure() -> None:
    measured = metrics.accuracy(
        keys(1, 2, 3, 4), TRUE, ESTIMATED, found=(keys(1), np.array([102])), cardinality=5.0
    )
    assert measured.weighted == metrics.weighted(TRUE, ESTIMATED)
    assert measured.heavy_hitter_precision == 1
    assert measured.heavy_hitter_recall == 0.25
    assert measured.cardinality_error == 0.25
    assert None not in vars(measured).values()


def test_accuracy_without_a_heavy_part_has_no_heavy_hitters() -> None:
    measured = metrics.accuracy(keys(1, 2, 3, 4), TRUE, ESTIMATED)
    assert measured.heavy_hitter_f1 is None
    assert measured.cardinality_error is None


def test_mean_leaves_out_epochs_without_a_measure() -> None:
    epochs = [Accuracy(weighted=0.5, aae=1.0), Accuracy(weighted=1.0), Accuracy()]
    assert Accuracy.mean(epochs) == Accuracy(weighted=0.75, aae=1.0)
    assert Accuracy.mean([]) == Accuracy()


@pytest.mark.parametrize("words", [1, 2, 5])
def test_truth_counts_like_numpy(words: int) -> None:
    rng = np.random.default_rng(words)
    packets = rng.integers(0, 200, (50_000, words), np.uint64) % np.uint64(200 // words)
    lengths = rng.integers(14, 1515, len(packets)).astype(np.uint32)
    found, counts, sizes = metrics.truth(packets, lengths)
    unique, inverse, expected = np.unique(packets, axis=0, return_inverse=True, return_counts=True)
    order = np.lexsort(found.T[::-1])
    assert np.array_equal(found[order], unique)
    assert np.array_equal(counts[order], expected)
    assert np.array_equal(sizes[order], np.bincount(inverse.reshape(-1), lengths))


def test_truth_without_lengths_counts_no_bytes() -> None:
    assert metrics.truth(keys(1, 2, 1))[2].tolist() == [0, 0]


def test_truth_refuses_flat_keys() -> None:
    with pytest.raises(ValueError, match=r"keys must be \(n, words\), not \(3,\)"):
        metrics.truth(np.zeros(3, np.uint64))


def test_tally_adds_batches_in_order_of_appearance() -> None:
    tally = Tally(2)
    tally.add(keys(5, 3), np.array([1, 2], np.uint64), np.array([60, 70], np.uint64))
    tally.add(keys(3, 9), np.array([4, 8], np.uint64), np.array([1, 2], np.uint64))
    found, packets, sizes = tally.counts()
    assert found[:, 0].tolist() == [5, 3, 9]
    assert packets.tolist() == [1, 6, 8]
    assert sizes.tolist() == [60, 71, 2]
    assert len(tally) == 3


def test_tally_grows_past_its_first_room() -> None:
    tally = Tally(2)
    ones = np.ones(70_000, np.uint64)
    for _ in range(2):
        tally.add(keys(*range(70_000)), ones, ones)
    assert len(tally) == 70_000
    assert np.all(tally.counts()[1] == 2)
