"""What an adversary can do to a hash family: with the seed, without it, and by chance."""

from __future__ import annotations

import numpy as np

from lab.evaluation.checks import Context
from lab.evaluation.claims import Claim, Finding, Verdict
from simulator.hashing import epoch_secret, hash_many
from simulator.layout import FLOW, SRC, Hash
from simulator.traffic import generate
from simulator.traffic.crafted import aim_at, murmur_pairs, random_flows

SEEDS = 20
PAIRS = 2_000
ROWS, WIDTH = 4, 16_384
CANDIDATES = 1 << 20


def check(claim: Claim, context: Context) -> list[Finding]:
    """Compare each measured share with what the claim says of it (`settings`, by case)."""
    rng = np.random.default_rng(context.seed)
    return [
        _compared(case, value, claim.settings.get(case)) for case, value in measure(rng).items()
    ]


def measure(rng: np.random.Generator) -> dict[str, float]:
    """Return, by case, the share of attacks that succeed.

    `pairs_FAMILY`: pairs of flow keys crafted against murmur3 that collide under a fresh seed;
    `known_seed_KEY_FAMILY`: light rows in which a key aimed with the seed hits its victim;
    `rotated_KEY_FAMILY`: the same keys after the epoch's secret has changed; `random_KEY_FAMILY`:
    pairs of random keys that share all light rows.
    """
    found: dict[str, float] = {}
    pairs = murmur_pairs(rng, PAIRS)
    for family in Hash:
        found[f"pairs_{family.name.lower()}"] = _pairs(pairs, family)
        for key in (SRC, FLOW):
            found |= _aimed(rng, family, key.name)
            found[f"random_{key.name}_{family.name.lower()}"] = _random(rng, family, key.words)
    return found


def _pairs(pairs: np.ndarray[tuple[int, int], np.dtype[np.uint64]], family: Hash) -> float:
    shares = []
    for epoch in range(SEEDS):
        hashes = hash_many(family, pairs, epoch_secret(1, epoch))
        shares.append(float((hashes[::2] == hashes[1::2]).all(axis=1).mean()))
    return float(np.mean(shares))


def _aimed(rng: np.random.Generator, family: Hash, key: str) -> dict[str, float]:
    words = (SRC if key == "src" else FLOW).words
    keys = np.ascontiguousarray(random_flows(rng, CANDIDATES)[:, :words])
    victim, secret = keys[0], epoch_secret(2, 0)
    chosen = aim_at(victim, secret, family, rows=ROWS, width=WIDTH, candidates=keys[1:])
    name = f"{key}_{family.name.lower()}"
    return {
        f"known_seed_{name}": _hits(victim, chosen, family, 0),
        f"rotated_{name}": _hits(victim, chosen, family, 1),
    }


def _hits(
    victim: np.ndarray[tuple[int], np.dtype[np.uint64]],
    chosen: np.ndarray[tuple[int, int], np.dtype[np.uint64]],
    family: Hash,
    epoch: int,
) -> float:
    aim, *rest = _columns(np.vstack([victim[np.newaxis], chosen]), family, epoch)
    return float(np.mean([other[row] == aim[row] for row, other in enumerate(rest)]))


def _random(rng: np.random.Generator, family: Hash, words: int) -> float:
    keys = generate("distinct", 2 * PAIRS, rng, key=FLOW).keys[:, :words]
    columns = np.array(_columns(np.ascontiguousarray(keys), family, 0))
    return float((columns[::2] == columns[1::2]).all(axis=1).mean())


def _columns(
    keys: np.ndarray[tuple[int, int], np.dtype[np.uint64]], family: Hash, epoch: int
) -> list[list[int]]:
    from simulator.hashing import reduce, row_bits

    hashes = hash_many(family, keys, epoch_secret(2, epoch))[:, 0]
    return [[int(reduce(row_bits(h, row), WIDTH)) for row in range(ROWS)] for h in hashes]


def _compared(case: str, measured: float, expected: float | None) -> Finding:
    if expected is None:
        return Finding(case, Verdict.NOT_REPRODUCED, measured, why="claims.toml does not name it")
    same = abs(measured - expected) <= 0.001
    verdict = Verdict.REPRODUCED if same else Verdict.NOT_REPRODUCED
    return Finding(case, verdict, measured, f"= {expected}", "" if same else "differs")
