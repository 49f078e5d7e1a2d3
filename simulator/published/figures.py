"""Comparisons that the papers print, measured on generated traffic of the same shape."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import epoch_secret
from simulator.layout import FLOW
from simulator.published.windows import Window, addresses, backbone, of_packets
from simulator.sketches.coco import Coco
from simulator.sketches.conservative import Conservative
from simulator.sketches.count_min import CountMin
from simulator.sketches.elastic import Elastic
from simulator.sketches.heavy_keeper import HeavyKeeper
from simulator.sketches.nitro import Nitro
from simulator.sketches.protocol import Sketch, Top
from simulator.sketches.space_saving import SpaceSaving
from simulator.traffic import generate
from simulator.traffic.streams import caida, zipf

_KB = 1024
_ELASTIC_BUCKET = 64  # bytes, with the paper's 4-byte keys
_COCO_MEMORY = 500_000
_COCO_THRESHOLD = 1e-4
_ALL, _SPORT, _DPORT = 2**64 - 1, 0xFFFF, 0xFFFF0000
# The words of a 5-tuple that a partial key keeps (the others are 0), and its bytes in the paper.
_PARTIAL_KEYS = tuple(
    (np.array(words, np.uint64), size)
    for words, size in (
        ((_ALL, _ALL, _ALL, _ALL, _ALL), 13),
        ((_ALL, _ALL, _ALL, _ALL, 0), 8),
        ((_ALL, _ALL, 0, 0, _SPORT), 8),
        ((0, 0, _ALL, _ALL, _DPORT), 8),
        ((_ALL, _ALL, 0, 0, 0), 4),
        ((0, 0, _ALL, _ALL, 0), 4),
    )
)


def elastic_over_count_min(seed: int) -> float:
    """Return the ARE of count-min over that of Elastic Sketch, 600 KB each."""
    window = addresses(backbone(seed))
    sketch = CountMin(3, 600 * _KB // 12, epoch_secret(seed, 0))
    sketch.update(window.packets)
    return _are(sketch.estimate(window.keys), window.true) / _elastic_are(seed)


def elastic_over_conservative(seed: int) -> float:
    """Return the ARE of conservative update over that of Elastic Sketch, 600 KB each."""
    window = addresses(backbone(seed))
    sketch = Conservative(3, 600 * _KB // 12, 1, seed)
    sketch.update(window.packets)
    return _are(sketch.estimate(window.keys), window.true) / _elastic_are(seed)


def heavy_keeper_precision(seed: int) -> float:
    """Return the share of HeavyKeeper's top 100 that are among the true top 100."""
    window, keeper, _ = _elephants(seed)
    kth = np.sort(window.true)[-100]
    return float((_true_of(window, keeper) >= kth).mean())


def heavy_keeper_over_space_saving(seed: int) -> float:
    """Return the ARE of Space-Saving's top 100 over that of HeavyKeeper's."""
    window, keeper, saving = _elephants(seed)
    errors = [_are(top.counts, _true_of(window, top)) for top in (saving, keeper)]
    return errors[0] / errors[1]


def coco_over_single_key_sketches(seed: int) -> float:
    """Return the mean ARE of single-key sketches over that of one CocoSketch, for six keys."""
    packets = _five_tuples(seed)
    one = Coco(2, _COCO_MEMORY // 2 // (13 + 4), FLOW.words, seed)
    one.update(packets)
    top = one.top(len(packets))
    coco, others = [], []
    for words, size in _PARTIAL_KEYS:
        truth = of_packets(packets & words)
        coco.append(_heavy_are(truth, _grouped(top.keys & words, top.counts)))
        for sketch in _single_key_sketches(_COCO_MEMORY // 6, size, seed):
            sketch.update(truth.packets)
            largest = sketch.top(len(truth.keys))
            if largest is not None:
                others.append(_heavy_are(truth, largest))
    return float(np.mean(others) / np.mean(coco))


@lru_cache(maxsize=1)
def _elastic_are(seed: int) -> float:
    window = addresses(backbone(seed))
    sketch = Elastic(150 * _KB // _ELASTIC_BUCKET, 450 * _KB, 1, seed)
    sketch.update(window.packets)
    return _are(sketch.estimate(window.keys), window.true)


@lru_cache(maxsize=1)
def _elephants(seed: int) -> tuple[Window, Top, Top]:
    """Return a window, and the top 100 of HeavyKeeper and of Space-Saving in 20 KB."""
    window = of_packets(generate("caida-2016-60s", 4_000_000, seed, key=FLOW).keys)
    bits = 20 * _KB * 8
    keeper = HeavyKeeper(2, (bits - 100 * 432) // 64, 100, FLOW.words, seed)
    saving = SpaceSaving(bits // 432, FLOW.words)
    keeper.update(window.packets)
    saving.update(window.packets)
    return window, keeper.top(100), saving.top(100)


def _single_key_sketches(memory: int, size: int, seed: int) -> tuple[Sketch, ...]:
    """Return three sketches of `memory` bytes, a key charged with `size` bytes."""
    entry, buckets = size + 4 + 4 * 4, memory // 4 // (8 * (size + 4))
    words, entries = FLOW.words, memory // 4 // entry
    return (
        Elastic(buckets, memory - memory // 4, words, seed),
        SpaceSaving(memory // entry, words),
        Nitro(3, (memory - memory // 4) // 12, entries, words, seed, every=1),  # Count Sketch, heap
    )


def _five_tuples(seed: int) -> NDArray[np.uint64]:
    """Return 2.5 M packets of flows, uint64 (n, 5), whose two ends are skewed as well.

    The ends of a flow are drawn from 40,000 hosts by a Zipf law; so a partial key has large and
    small groups, as the paper's needs.
    """
    rng = np.random.default_rng(seed)
    ids = caida(rng, 2_500_000).ids
    flows = np.zeros((int(ids.max()) + 1, FLOW.words), np.uint64)
    for column in (1, 3):
        flows[:, column] = zipf(rng, len(flows), keys=40_000, alpha=1.0).ids + 1
    sport, dport = rng.integers(1_024, 65_536, len(flows)), rng.choice([443, 80, 53], len(flows))
    flows[:, 4] = sport | dport << 16 | 6 << 32
    return flows[ids]


def _grouped(keys: NDArray[np.uint64], counts: NDArray[np.uint64]) -> Top:
    distinct, group = np.unique(keys, axis=0, return_inverse=True)
    return Top(distinct, np.bincount(group.ravel(), counts.astype(np.float64), len(distinct)))


def _heavy_are(window: Window, found: Top) -> float:
    """Return the ARE over keys heavy in truth and by the sketch, as the authors' program does."""
    threshold = _COCO_THRESHOLD * len(window.packets)
    answers = dict(zip((key.tobytes() for key in found.keys), found.counts, strict=True))
    heavy = window.true > threshold
    counts = np.array([float(answers.get(key.tobytes(), 0)) for key in window.keys[heavy]])
    both = counts > threshold
    return _are(counts[both], window.true[heavy][both])


def _true_of(window: Window, top: Top) -> NDArray[np.float64]:
    wanted = {key.tobytes(): place for place, key in enumerate(top.keys)}
    true = np.zeros(len(top.keys))
    for key, count in zip(window.keys, window.true, strict=True):
        place = wanted.get(key.tobytes())
        if place is not None:
            true[place] = count
    return true


def _are(counts: NDArray[np.generic], true: NDArray[np.float64]) -> float:
    return float((np.abs(counts.astype(np.float64) - true) / true).mean())
