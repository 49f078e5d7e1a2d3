"""How fast the simulator counts, beside other libraries for Python and plain NumPy."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.bench import streams
from lab.bench.interleave import interleave
from lab.bench.lane import Facts
from lab.bench.statistics import median_interval, ratio_interval
from lab.errors import EnvironmentProblem
from lab.output import Advance
from simulator import geometry
from simulator.hashing import epoch_secret
from simulator.layout import SRC, Hash, Setting

U64 = NDArray[np.uint64]

ROWS, WIDTH = 4, 16384
STREAM, N_KEYS = "zipf-1.1", 100_000
REFERENCE = "simulator count_min"
_TFM_MEMORY = 512 << 10  # two epoch buffers


class Counter(NamedTuple):
    """A structure and the keys it is to count, already in the form that it takes."""

    run: Callable[[], Any]  # counts every key once more
    total: Callable[[], int]  # packets, as the structure itself has them


@dataclass(frozen=True)
class Peer:
    """What is timed, in CPU time of one thread: `packets` keys a pass (some are slow)."""

    name: str
    library: str  # its distribution; "" for the lab's own
    packets: int
    prepare: Callable[[U64], Counter]


def _simulator_count_min(keys: U64) -> Counter:
    from simulator.sketches.count_min import CountMin

    sketch = CountMin(ROWS, WIDTH, epoch_secret(1, 0), Hash.MURMUR3)
    return Counter(lambda: sketch.update(keys), lambda: int(sketch.grid[0].sum()))


def _simulator_tfm(keys: U64) -> Counter:
    from simulator.glimpse import Glimpse
    from simulator.parsing import parse
    from simulator.sketches import tfm
    from simulator.traffic import frames_for

    shape = geometry.for_memory(_TFM_MEMORY, SRC, 1)
    twin = Glimpse(shape, exact_entries=1, setting=Setting.LOW, seed=1)
    parsed = parse(frames_for(keys))
    ones = np.ones(len(keys), np.uint64)
    return Counter(
        lambda: twin.feed(parsed, ones, ones),
        lambda: int(twin.tfms.view(np.uint64)[0, tfm.SKETCHED]),
    )


def _numpy_count_min(keys: U64) -> Counter:
    odd = np.random.default_rng(1).integers(0, 2**63, (ROWS, keys.shape[1]), np.uint64) * 2 + 1
    grid = np.zeros((ROWS, WIDTH), np.uint32)
    shift = np.uint64(64 - WIDTH.bit_length() + 1)

    def count() -> None:
        for row in range(ROWS):  # multiply-shift (Dietzfelbinger et al., 1997)
            columns = (keys @ odd[row]) >> shift
            grid[row] += np.bincount(columns.astype(np.int64), minlength=WIDTH).astype(np.uint32)

    return Counter(count, lambda: int(grid[0].sum()))


def _datasketches_count_min(keys: U64) -> Counter:
    from datasketches import count_min_sketch

    sketch = count_min_sketch(ROWS, WIDTH)
    update = sketch.update
    items = (keys[:, 1] >> np.uint64(32)).tolist()  # the addresses: it takes signed 64 bits

    def count() -> None:
        for item in items:
            update(item)

    return Counter(count, lambda: int(sketch.total_weight))


def _pyprobables_count_min(keys: U64) -> Counter:
    from probables import CountMinSketch

    sketch = CountMinSketch(width=WIDTH, depth=ROWS)
    add = sketch.add
    items = [key.tobytes() for key in keys]

    def count() -> None:
        for item in items:
            add(item)

    return Counter(count, lambda: int(sketch.elements_added))


PEERS = (
    Peer(REFERENCE, "", 1 << 20, _simulator_count_min),
    Peer("simulator tfm", "", 1 << 20, _simulator_tfm),
    Peer("numpy count_min", "numpy", 1 << 20, _numpy_count_min),
    Peer("datasketches count_min", "datasketches", 1 << 18, _datasketches_count_min),
    Peer("pyprobables count_min", "pyprobables", 1 << 13, _pyprobables_count_min),
)


class _PeerLane:
    facts = Facts(None, None, None)

    def __init__(self, peer: Peer, keys: U64) -> None:
        self._packets = peer.packets
        self._counter = peer.prepare(keys[: peer.packets])
        self._counter.run()  # compiles, and warms up

    def measure(self) -> float:
        begin = time.thread_time_ns()  # others may want the CPU, too
        self._counter.run()
        return (time.thread_time_ns() - begin) / self._packets


def missing(peers: Sequence[Peer]) -> dict[str, str]:
    """Return the peers that cannot run here, and why."""
    return {
        peer.name: f"{peer.library} is not installed"
        for peer in peers
        if peer.library and _version(peer.library) is None
    }


def rows(
    repeats: int, seed: int, advance: Advance, peers: Sequence[Peer]
) -> Iterator[dict[str, Any]]:
    """Measure all that are installed, on one thread; yields a row of each."""
    absent = missing(peers)
    present = [peer for peer in peers if peer.name not in absent]
    if REFERENCE not in [peer.name for peer in present]:
        raise EnvironmentProblem("there is no simulator to compare with", try_="make setup")
    longest = max(peer.packets for peer in present)
    stream = streams.draw(STREAM, N_KEYS, longest, SRC, seed)
    lanes = {peer.name: _PeerLane(peer, stream.keys) for peer in present}
    rng = np.random.default_rng([seed, 1])
    samples = interleave(lanes, repeats, rng, advance)
    for peer in present:
        speed = median_interval(1e9 / samples[peer.name], rng)
        slower = ratio_interval(samples[peer.name], samples[REFERENCE], rng)
        yield {
            "subject": peer.name,
            "version": _version(peer.library) if peer.library else None,
            "keys": stream.name,
            "n_keys": stream.n_keys,
            "packets": peer.packets,
            "repeats": repeats,
            "keys_per_second": speed.median,
            "keys_per_second_low": speed.low,
            "keys_per_second_high": speed.high,
            "simulator_is_faster": slower.median,
            "simulator_is_faster_low": slower.low,
            "simulator_is_faster_high": slower.high,
        }


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
