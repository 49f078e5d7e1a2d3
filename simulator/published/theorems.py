"""Bounds that the papers prove, measured."""

from __future__ import annotations

import math

import numpy as np

from simulator.hashing import epoch_secret
from simulator.published.windows import backbone
from simulator.sketches.coco import Coco
from simulator.sketches.conservative import Conservative
from simulator.sketches.count_min import CountMin
from simulator.sketches.count_sketch import CountSketch
from simulator.sketches.nitro import Nitro
from simulator.sketches.salsa import BLOCK, Salsa
from simulator.sketches.sampled import Sampled
from simulator.sketches.space_saving import SpaceSaving
from simulator.traffic.streams import zipf


def count_min_beyond_bound(seed: int) -> float:
    """Return the share of keys whose error is above e N / w."""
    packets, keys, true = backbone(seed)
    sketch = CountMin(4, 2_000, epoch_secret(seed, 0))
    sketch.update(packets)
    return float((sketch.estimate(keys) - true > math.e * len(packets) / 2_000).mean())


def small_flow_passes(seed: int) -> float:
    """Return how often a flow of 1,000 packets passes a filter of threshold 10,000.

    The other 999,000 packets are 111 flows of 9,000: none can help it better. The small flow adds
    1,000 to each of its buckets, so it passes where a key that was never inserted reads 9,000.
    """
    flows = np.column_stack([np.zeros(111, np.uint64), np.arange(1, 112, dtype=np.uint64)])
    absent = np.arange(10_000, 510_000, dtype=np.uint64)
    absent = np.column_stack([np.zeros(len(absent), np.uint64), absent])
    passed = []
    for other in range(10):
        sketch = Conservative(4, 1_000, 2, 1_000 * seed + other)
        sketch.update(np.repeat(flows, 9_000, axis=0))
        passed.append(float((sketch.estimate(absent) >= 9_000).mean()))
    return float(np.mean(passed))


def count_sketch_largest_error(seed: int) -> float:
    """Return the largest error over gamma."""
    packets, keys, true = backbone(seed)
    sketch = CountSketch(17, 1_000, keys.shape[1], seed)
    sketch.update(packets)
    gamma = math.sqrt((np.sort(true)[:-100] ** 2).sum() / 1_000)
    return float(np.abs(sketch.estimate(keys) - true).max() / gamma)


def salsa_above_fixed_counters(seed: int) -> float:
    """Return the share of keys that SALSA estimates above u32 counters over the same bytes."""
    packets, keys, _ = backbone(seed)
    lean = Salsa(4, 16_000 // BLOCK, keys.shape[1], seed)
    fixed = Conservative(4, 4_000, keys.shape[1], seed)
    lean.update(packets)
    fixed.update(packets)
    return float((lean.estimate(keys) > fixed.estimate(keys)).mean())


def coco_partial_key_bias(seed: int) -> float:
    """Return the mean error of sums over partial keys, in standard errors; near 1 if unbiased."""
    rng = np.random.default_rng(seed)
    flows = zipf(rng, 100_000, keys=20_000, alpha=1.0).ids
    sources = flows % 400
    packets = np.column_stack([sources, flows]).astype(np.uint64)
    true = np.bincount(sources, minlength=400)
    asked = np.argsort(-true)[20:60]
    errors = []
    for other in range(200):
        sketch = Coco(2, 250, 2, 1_000 * seed + other)
        sketch.update(packets)
        keys, counts = sketch.top(500)
        sums = np.bincount(keys[:, 0].astype(np.int64), counts.astype(np.float64), 400)
        errors.append(sums[asked] - true[asked])
    standard = np.std(errors, axis=0) / math.sqrt(len(errors))
    return float(np.sqrt(np.mean((np.mean(errors, axis=0) / standard) ** 2)))


def nitro_row_variance(seed: int) -> float:
    """Return the mean squared error of a row over the predicted one, for keys far above 0."""
    large, packets, single, width, every = 50, 10_000, 600_000, 20_000, 100
    ids = np.concatenate([np.repeat(np.arange(large), packets), np.arange(single) + large])
    keys = np.column_stack([np.zeros(len(ids), np.uint64), ids.astype(np.uint64)])
    asked = keys[: large * packets : packets]
    squares = (large - 1) * packets**2 + single
    predicted = squares / width + (every - 1) * (packets + (len(ids) - packets) / width)
    errors = []
    for other in range(100):
        sketch = Nitro(1, width, 1, 2, 1_000 * seed + other, every=every)
        sketch.update(keys)
        errors.append(sketch.estimate(asked).astype(np.float64) - packets)
    return float((np.array(errors) ** 2).mean() / predicted)


def space_saving_largest_error(seed: int) -> float:
    """Return the largest error of a stored key over N / m; infinity if a key above it is lost."""
    packets, keys, true = backbone(seed)
    sketch = SpaceSaving(1_000, keys.shape[1])
    sketch.update(packets)
    counts = sketch.estimate(keys)
    limit = len(packets) / 1_000
    if (counts[true > limit] == 0).any():
        return math.inf
    held = counts > 0
    return float((counts[held] - true[held]).max() / limit)


def sampled_within_rule(seed: int) -> float:
    """Return the share of well-sampled keys whose error is within 196 sqrt(1 / samples) %."""
    packets, keys, true = backbone(seed)
    within = []
    for other in range(10):
        sketch = Sampled(400_000, keys.shape[1], 1_000 * seed + other)
        sketch.update(packets)
        counts = sketch.estimate(keys).astype(np.float64)
        samples = counts / sketch.every
        error = np.abs(counts - true)
        enough = samples >= 30
        within.append((error <= 1.96 / np.sqrt(samples.clip(1)) * counts)[enough].mean())
    return float(np.mean(within))
