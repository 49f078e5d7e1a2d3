"""What the sketches' papers say, measured again: one number or theorem and more per peer.

Add one: a function of a seed that returns a number, and a line in `PUBLISHED`.
"""

from __future__ import annotations

import math

from simulator.published import figures, theorems
from simulator.published.model import Published, Reproduction

_ELASTIC = "Yang et al., Elastic Sketch, SIGCOMM 2018"
_ELASTIC_SETTING = (
    "600 KB (150 KB heavy), 4-byte source addresses, 2.5 M packets, 110 k keys; three u32 rows "
    "(the authors' own demo programs)"
)
_HEAVY_KEEPER = "Gong et al., HeavyKeeper, USENIX ATC 2018"
_HEAVY_KEEPER_SETTING = (
    "20 KB, k = 100, 5-tuples; 32 bits per bucket, 432 per entry of the top k and of Space-Saving "
    "(the authors' own program); 4 M packets of caida-2016-60s"
)

PUBLISHED: tuple[Published, ...] = (
    Published(
        sketch="count_min",
        paper="Cormode and Muthukrishnan, J. Algorithms 2005",
        place="theorem on point queries",
        setting="4 rows of 2,000, caida-2016, 2.5 M packets",
        metric="share of keys whose error exceeds e N / w",
        value=math.exp(-4),
        low=0.0,
        high=math.exp(-4),
        measure=theorems.count_min_beyond_bound,
        source="theorem",
    ),
    Published(
        sketch="conservative",
        paper="Estan and Varghese, SIGCOMM 2002",
        place="multistage filters, the example and its lemma",
        setting="4 stages of 1,000 buckets, threshold a hundredth of the traffic, a flow of a "
        "tenth of the threshold; the rest of the traffic placed as badly as can be; 10 seeds",
        metric="probability that the small flow passes all stages",
        value=(1 / 9) ** 4,
        low=0.75 * (1 / 9) ** 4,
        high=1.1 * (1 / 9) ** 4,  # our rows share two hashes, see docs/sketches/conservative.md
        measure=theorems.small_flow_passes,
        source="lemma: (T / (T - s) / k)^d with k = 10; 1.52e-4 in the paper's example",
    ),
    Published(
        sketch="count_sketch",
        paper="Charikar, Chen and Farach-Colton, ICALP 2002",
        place="bound on all estimates",
        setting="17 rows of 1,000 (the lemma asks for O(log n) rows), caida-2016, 2.5 M packets",
        metric="largest error of any key, in gamma = sqrt(sum of squares beyond the top 100 / w)",
        value=8.0,
        low=0.0,
        high=8.0,
        measure=theorems.count_sketch_largest_error,
        source="theorem",
    ),
    Published(
        sketch="elastic",
        paper=_ELASTIC,
        place="evaluation, ARE of flow sizes over memory",
        setting=_ELASTIC_SETTING,
        metric="ARE of count-min over ARE of Elastic Sketch",
        value=3.8,
        low=0.85 * 3.8,
        high=1.15 * 3.8,
        measure=figures.elastic_over_count_min,
        source="factor quoted from memory of the text, not reread; setting from the authors' code",
    ),
    Published(
        sketch="elastic",
        paper=_ELASTIC,
        place="evaluation, ARE of flow sizes over memory",
        setting=_ELASTIC_SETTING,
        metric="ARE of conservative update over ARE of Elastic Sketch",
        value=2.5,
        low=0.85 * 2.5,
        high=1.15 * 2.5,
        measure=figures.elastic_over_conservative,
        source="factor quoted from memory of the text, not reread; setting from the authors' code",
    ),
    Published(
        sketch="heavy_keeper",
        paper=_HEAVY_KEEPER,
        place="abstract",
        setting=_HEAVY_KEEPER_SETTING,
        metric="precision of the top 100",
        value=0.9999,
        low=0.99,
        high=1.0,
        measure=figures.heavy_keeper_precision,
        source="abstract ('almost 100 %' in the authors' repository)",
    ),
    Published(
        sketch="heavy_keeper",
        paper=_HEAVY_KEEPER,
        place="abstract",
        setting=_HEAVY_KEEPER_SETTING,
        metric="ARE of Space-Saving's top 100 over ARE of HeavyKeeper's",
        value=1e3,
        low=1e3,
        high=math.inf,
        measure=figures.heavy_keeper_over_space_saving,
        source="abstract: about three orders of magnitude; at least that counts as reproduced",
    ),
    Published(
        sketch="coco",
        paper="Zhang et al., CocoSketch, SIGCOMM 2021",
        place="abstract",
        setting="500 KB, six partial keys of the 5-tuple, heavy hitters above 1e-4 of 2.5 M "
        "packets; the other side one sketch per key with a sixth of the memory each",
        metric="mean ARE of single-key sketches over mean ARE of CocoSketch",
        value=10.4,
        low=5.2,
        high=20.8,
        measure=figures.coco_over_single_key_sketches,
        source="abstract, over five single-key sketches; here three of them: Count Sketch with a "
        "heap, Elastic Sketch, Space-Saving",
    ),
    Published(
        sketch="coco",
        paper="Zhang et al., CocoSketch, SIGCOMM 2021",
        place="analysis: estimates of any partial key are unbiased",
        setting="500 buckets, 100,000 packets, sums over the flows of 40 mid-sized sources, "
        "200 seeds",
        metric="root mean square of the mean error, in its standard error",
        value=1.0,
        low=0.5,
        high=1.5,
        measure=theorems.coco_partial_key_bias,
        source="theorem",
    ),
    Published(
        sketch="salsa",
        paper="Ben Basat et al., SALSA, ICDE 2021",
        place="analysis of count-min (the same induction holds for conservative update)",
        setting="4 rows of 16,000 u8 counters against 4 of 4,000 u32 counters over the same bytes",
        metric="share of keys estimated above the sketch of fixed counters",
        value=0.0,
        low=0.0,
        high=0.0,
        measure=theorems.salsa_above_fixed_counters,
        source="theorem",
    ),
    Published(
        sketch="nitro",
        paper="Liu et al., NitroSketch, SIGCOMM 2019",
        place="analysis: a row stays unbiased, its variance grows by the sampling's",
        setting="one row of 20,000, p = 0.01, 50 keys of 10,000 packets among 600,000 of one, "
        "100 seeds",
        metric="mean squared error over (F2 - f^2)/w + (1/p - 1)(f + (N - f)/w)",
        value=1.0,
        low=0.85,
        high=1.15,
        measure=theorems.nitro_row_variance,
        source="formula derived in docs/sketches/nitro.md from the paper's algorithm",
    ),
    Published(
        sketch="space_saving",
        paper="Metwally, Agrawal and El Abbadi, ICDT 2005",
        place="theorem on the error, and on which keys are stored",
        setting="1,000 entries, caida-2016, 2.5 M packets",
        metric="largest error of a stored key, in N / m",
        value=1.0,
        low=0.0,
        high=1.0,
        measure=theorems.space_saving_largest_error,
        source="theorem",
    ),
    Published(
        sketch="sampled",
        paper="Phaal and Panchen, Packet Sampling Basics (sFlow)",
        place="the rule % error <= 196 sqrt(1 / c) for c samples, 95 % confidence",
        setting="1 in 16, room for every key, keys of caida-2016 with 30 samples and more, "
        "10 seeds",
        metric="share of keys within the rule",
        value=0.95,
        low=0.94,
        high=0.97,
        measure=theorems.sampled_within_rule,
        source="rule",
    ),
)


def reproduce(published: Published, seed: int = 1) -> Reproduction:
    """Measure one number of a paper."""
    ours = published.measure(seed)
    return Reproduction(published, ours, published.low <= ours <= published.high)
