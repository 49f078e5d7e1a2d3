"""How good estimates are: numbers from aligned arrays of true and estimated packet counts.

Every measure is None where it is undefined (no keys, no heavy hitters), never a made-up 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.tally import Tally

HEAVY_SHARE = 0.0002  # a heavy hitter has at least 0.02 % of an epoch's packets
TOP = 100
_WITHIN = 0.05

Counts = NDArray[np.integer[Any]] | NDArray[np.floating[Any]]
Keys = NDArray[np.uint64]  # (n, words)


@dataclass(frozen=True)
class Accuracy:
    """The measures of one epoch, or their means over epochs."""

    one_minus_are: float | None = None
    aae: float | None = None
    weighted: float | None = None
    within_5_percent: float | None = None
    top100_are: float | None = None
    heavy_hitter_precision: float | None = None
    heavy_hitter_recall: float | None = None
    heavy_hitter_f1: float | None = None
    cardinality_error: float | None = None
    wmre: float | None = None
    entropy_error: float | None = None

    @classmethod
    def mean(cls, epochs: Sequence[Accuracy]) -> Accuracy:
        """Average each measure over the epochs that have it."""
        means = {}
        for name in (f.name for f in fields(cls)):
            values = [v for epoch in epochs if (v := getattr(epoch, name)) is not None]
            means[name] = float(np.mean(values)) if values else None
        return cls(**means)


@dataclass(frozen=True)
class HeavyHitters:
    """How well the heavy hitters were found."""

    precision: float | None
    recall: float | None
    f1: float | None


def truth(keys: Keys, lengths: Counts | None = None) -> tuple[Keys, Keys, Keys]:
    """Return the distinct keys (n, words) of packets, and packets (n,) and bytes (n,) of each."""
    if keys.ndim != 2:
        raise ValueError(f"keys must be (n, words), not {keys.shape}")
    tally = Tally(keys.shape[1])
    sizes = np.zeros(len(keys), np.uint64) if lengths is None else lengths.astype(np.uint64)
    tally.add(keys, np.ones(len(keys), np.uint64), sizes)
    return tally.counts()


def one_minus_are(true: Counts, estimated: Counts) -> float | None:
    """Return 1 - the mean relative error over all keys."""
    are = _mean(_errors(true, estimated) / true)
    return None if are is None else 1 - are


def aae(true: Counts, estimated: Counts) -> float | None:
    """Return the mean absolute error, in packets."""
    return _mean(_errors(true, estimated))


def weighted(true: Counts, estimated: Counts) -> float | None:
    """Return 1 - the sum of all errors over the sum of all counts."""
    if len(true) == 0:
        return None
    return 1 - float(_errors(true, estimated).sum() / true.sum())


def within_5_percent(true: Counts, estimated: Counts) -> float | None:
    """Return the share of keys whose estimate is at most 5 % off."""
    return _mean(_errors(true, estimated) <= _WITHIN * true)


def topk_are(true: Counts, estimated: Counts, k: int = TOP) -> float | None:
    """Return the mean relative error of the k largest keys."""
    largest = np.argsort(true, kind="stable")[::-1][:k]
    return _mean(_errors(true[largest], estimated[largest]) / true[largest])


def heavy_hitters(
    keys: Keys, true: Counts, found: Keys, estimated: Counts, share: float = HEAVY_SHARE
) -> HeavyHitters:
    """Compare the keys with at least `share` of all packets with those that an estimate names.

    `found` are the distinct keys that a sketch recovers by itself, `estimated` its counts for them.
    """
    threshold = share * float(true.sum())
    heavy, named = _rows(keys[true >= threshold]), _rows(found[estimated >= threshold])
    right = len(np.intersect1d(heavy, named, assume_unique=True))
    return HeavyHitters(
        _ratio(right, len(named)),
        _ratio(right, len(heavy)),
        _ratio(2 * right, len(named) + len(heavy)),
    )


def cardinality_error(true: int, estimated: float) -> float | None:
    """Return the relative error of the number of distinct keys."""
    return _ratio(abs(estimated - true), true)


def wmre(true: Counts, estimated: Counts) -> float | None:
    """Return the weighted mean relative error of the distribution of counts.

    With n_i keys of count i it is sum |n_i - n'_i| / (sum (n_i + n'_i) / 2): 0 for equal, 2 for
    disjoint distributions (Kumar et al., SIGMETRICS 2004). Estimates are rounded to packets.
    """
    sizes = np.concatenate([true, np.rint(estimated)])
    _, size = np.unique(sizes, return_inverse=True)
    n, m = (np.bincount(part, minlength=len(sizes)) for part in np.split(size, [len(true)]))
    return _ratio(float(np.abs(n - m).sum()), float((n + m).sum()) / 2)


def entropy(counts: Counts) -> float:
    """Return the empirical entropy of the packets over the keys, in bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def entropy_error(true: Counts, estimated: Counts) -> float | None:
    """Return the relative error of the entropy; undefined where all packets are of one key."""
    return _ratio(abs(entropy(estimated) - entropy(true)), entropy(true))


def accuracy(
    keys: Keys,
    true: Counts,
    estimated: Counts,
    *,
    found: tuple[Keys, Counts] | None = None,
    cardinality: float | None = None,
) -> Accuracy:
    """Measure one epoch: the estimates for all its keys, what was found unasked, and how many.

    Without `found` (keys and their estimates) and `cardinality` their measures are None.
    """
    heavy = HeavyHitters(None, None, None)
    if found is not None:
        heavy = heavy_hitters(keys, true, *found)
    return Accuracy(
        one_minus_are(true, estimated),
        aae(true, estimated),
        weighted(true, estimated),
        within_5_percent(true, estimated),
        topk_are(true, estimated),
        heavy.precision,
        heavy.recall,
        heavy.f1,
        None if cardinality is None else cardinality_error(len(keys), cardinality),
        wmre(true, estimated),
        entropy_error(true, estimated),
    )


def _errors(true: Counts, estimated: Counts) -> NDArray[np.float64]:
    """Return absolute errors; unsigned numbers would wrap around."""
    return np.abs(estimated.astype(np.float64) - true.astype(np.float64))


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _rows(keys: Keys) -> NDArray[np.void]:
    """Return each key as one opaque value."""
    return np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1] * 8))).reshape(-1)
