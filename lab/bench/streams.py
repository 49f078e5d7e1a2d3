"""The key streams by name: `zipf-1.1`, ..., `distinct`, and captures as `trace-NAME`.

Add one: a line in STREAMS, if simulator.traffic has it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lab.errors import BadInput, UsageError_
from simulator.layout import FLOW, Key
from simulator.traffic import TRAFFIC, keys_of

U64 = NDArray[np.uint64]

STREAMS = ("zipf-0.8", "zipf-1.0", "zipf-1.1", "zipf-1.3", "distinct")
FRESH = "distinct"
TRACE = "trace-"
FOLDER = "GLIMPSE_TRACES"
TRACE_PACKETS = 1 << 20
_ENDINGS = (".gz", ".zst", ".pcapng", ".pcap")


@dataclass(frozen=True)
class KeyStream:
    """Keys in the order of sending.

    A `fresh` stream has every key once, and each is new to the structure. Before any other, the
    structure has seen each key of `population` once, and then the whole stream.
    """

    name: str
    n_keys: int
    population: U64  # (p, words); empty where the stream itself has all keys
    keys: U64  # (n, words)
    fresh: bool


def draw(name: str, n_keys: int, packets: int, key: Key, seed: int) -> KeyStream:
    """Draw `packets` of a generated stream over `n_keys` keys; `distinct` has n_keys packets."""
    rng = np.random.default_rng([seed, n_keys])
    secret = int(rng.integers(0, 2**63))
    everybody = np.arange(n_keys, dtype=np.int64)
    nobody = keys_of(everybody[:0], key, secret)
    if name == FRESH:
        return KeyStream(name, n_keys, nobody, keys_of(everybody, key, secret), fresh=True)
    stream = TRAFFIC[name]
    ids, _ = stream.draw(rng, packets, **stream.parameters | {"keys": n_keys})
    population = keys_of(rng.permutation(everybody), key, secret)
    return KeyStream(name, n_keys, population, keys_of(ids, key, secret), fresh=False)


def from_trace(name: str, path: Path, key: Key) -> KeyStream:
    """Take the keys of a capture's first IP packets, at most TRACE_PACKETS."""
    keys = _trace_keys(path)[:, : key.words]
    if len(keys) == 0:
        raise BadInput(f"{path} holds no IP packet", try_="name another capture")
    rows = np.ascontiguousarray(keys).view(np.dtype((np.void, key.words * 8))).ravel()
    return KeyStream(name, len(np.unique(rows)), keys[:0], np.ascontiguousarray(keys), fresh=False)


def traces(named: tuple[str, ...] = ()) -> dict[str, Path]:
    """Return the captures by stream name: those of GLIMPSE_TRACES, and those named."""
    folder = os.environ.get(FOLDER)
    found = sorted(Path(folder).glob("*.pcap*")) if folder else []
    by_name: dict[str, Path] = {}
    for path in (*found, *map(Path, named)):
        name = TRACE + _stem(path)
        if by_name.setdefault(name, path).resolve() != path.resolve():
            raise UsageError_(
                f"{by_name[name]} and {path} would both be {name}", try_="rename one of them"
            )
    return by_name


def _stem(path: Path) -> str:
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name


def _trace_keys(path: Path) -> U64:
    from simulator.layout import Outcome
    from simulator.parsing import parse
    from simulator.traces import TraceError, read

    flows, count = [np.empty((0, FLOW.words), np.uint64)], 0
    try:
        for frames in read(path):
            parsed = parse(frames)
            flows.append(parsed.flows[parsed.outcomes == Outcome.IP])
            count += len(flows[-1])
            if count >= TRACE_PACKETS:
                break
    except TraceError as error:
        raise BadInput(error.problem, try_=error.try_) from error
    return np.concatenate(flows)[:TRACE_PACKETS]
