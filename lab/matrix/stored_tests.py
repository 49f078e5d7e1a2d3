"""The tests that a guest runs, with every byte that it must find, made by the twin on the host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.datapath import Batch, DatapathSettings, SimulatorDatapath, order_word
from lab.fuzz.frames import FrameSource
from lab.fuzz.rounds import Change, Round, random_round
from lab.kernel_datapath import knobs, map_sizes
from simulator.frames import Frames
from simulator.geometry import EPOCH_BUFFERS, Geometry, for_memory
from simulator.glimpse import Retired, prepare
from simulator.layout import HEADER, KEYS, SRC, Detail, Hash, Key, Setting, Verdict
from simulator.packets import catalogue, frames_of
from simulator.parsing import parse

SEED = 20
PACKETS = 500  # of a twin test: different ones, and then
REPEATS = 1000  # of them, so that keys are evicted and cells run out
SHORT = 3400  # bytes: a test run's frame without frags has one page, less the room around it
FRAMES = ("whole", "short")  # what a kernel with frags gets, and one without
EXACT_ENTRIES = 64
# A budget that runs out, a table that is full, an order that is stale, one that counts, and swaps.
CHANGES = (
    Change(0, "grant", 30),
    Change(100, "swap"),
    Change(100, "grant", 20),
    Change(110, "order", Detail.HIGH),
    Change(200, "order", Detail.HIGH, stale=1),
    Change(220, "swap"),
    Change(230, "order", Detail.HIGH),
    Change(230, "grant", 1000),
    Change(420, "swap"),
    Change(420, "order", Detail.LOW),
)
# Instances, rows, width, groups: many cells place keys, one group and a narrow row overflow.
_SHAPES = {Hash.MURMUR3: (2, 4, 61, 4), Hash.JHASH: (1, 3, 1, 1), Hash.PMS: (2, 8, 7, 4)}
_HEAD_WORDS = HEADER.itemsize // 8

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class StoredTest:
    """One test: what the guest is told (`plan`), and the arrays of each kind of frames."""

    name: str
    kind: str
    settings: DatapathSettings
    arrays: dict[str, Arrays] = field(default_factory=dict)  # by FRAMES
    steps: dict[str, list[list[Any]]] = field(default_factory=dict)

    def plan(self, folder: Path) -> dict[str, Any]:
        """Write the arrays to `folder`, and return the test's part of plan.json."""
        stored = {}
        for frames, arrays in self.arrays.items():
            stored[frames] = f"tests/{self.name}-{frames}.npz"
            (folder / "tests").mkdir(exist_ok=True)
            np.savez(folder / stored[frames], **arrays)  # type: ignore[arg-type]
        known = knobs(self.settings, Verdict.PASS)
        plan = {
            "name": self.name,
            "kind": self.kind,
            "object": f"glimpse_{self.settings.geometry.key.name}",
            "knobs": {"config": known["config"]},
            "map_sizes": map_sizes(self.settings),
            "stored": stored,
            "steps": self.steps,
        }
        if not self.arrays:
            plan["heads"] = _heads(self.settings, EPOCH_BUFFERS * 2).tolist()
        return json.loads(json.dumps(plan))  # type: ignore[no-any-return]


def stored_tests(seed: int = SEED) -> list[StoredTest]:
    """Make all tests; the same for the same seed."""
    tests = [parse_test(key, seed) for key in KEYS.values()]
    source = FrameSource(np.random.default_rng(seed))
    for key in KEYS.values():
        tests += [twin_test(source, key, family, seed) for family in Hash]
    return [*tests, *_wire_tests()]


def parse_test(key: Key, seed: int) -> StoredTest:
    """Store every crafted frame with the outcome and key that the twin reads in it."""
    crafted = catalogue(seed)
    frames = frames_of(crafted)
    names = np.array([one.name for one in crafted])
    settings = DatapathSettings(Geometry(key, 1, 1, 1, 8), 16, Setting.HIGH)
    arrays = {}
    for kind, which in _selected(frames):
        chosen = frames.take(which)
        parsed = parse(chosen)
        arrays[kind] = {
            **_packed(chosen),
            "names": names[which],
            "outcomes": parsed.outcomes,
            "keys": parsed.keys(key).view(np.uint8).reshape(len(chosen), -1),
            "heads": _heads(settings, EPOCH_BUFFERS),
        }
    return StoredTest(f"parse_{key.name}", "parse", settings, arrays)


def twin_test(source: FrameSource, key: Key, family: Hash, seed: int) -> StoredTest:
    """Store a round, and all that the twin leaves of it at every epoch swap."""
    rng = np.random.default_rng([seed, key.words, int(family)])
    instances, rows, width, groups = _SHAPES[family]
    shape = Geometry(key, instances, buckets=1, rows=rows, width=width, groups=groups)
    settings = DatapathSettings(shape, EXACT_ENTRIES, Setting.AUTO, family, seed)
    frames = source.draw(PACKETS, key)
    frames = frames.take(np.concatenate([np.arange(PACKETS), rng.integers(0, PACKETS, REPEATS)]))
    test = StoredTest(f"twin_{key.name}_{family.name.lower()}", "twin", settings)
    for kind, which in _selected(frames):
        chosen = frames.take(which)
        drawn = replace(random_round(rng, chosen, settings), changes=CHANGES)
        steps, arrays = run_twin(drawn)
        test.steps[kind], test.arrays[kind] = steps, {**_packed(chosen), **arrays}
    return test


def run_twin(drawn: Round) -> tuple[list[list[Any]], Arrays]:
    """Run a round on the twin; returns its steps in absolute values, and what each swap left."""
    recording = _Recording(drawn)
    for change in drawn.changes:
        recording.feed(change.at)
        recording.apply(change)
    recording.feed(len(drawn.frames))
    recording.swap()
    recording.swap()  # the other side: what an earlier epoch left there is gone
    heads = _heads(drawn.settings, recording.swaps + EPOCH_BUFFERS)
    return recording.steps, {**recording.arrays, "heads": heads}


class _Recording:
    """The twin at work, and what a guest must do to follow it."""

    def __init__(self, drawn: Round) -> None:
        self._twin = SimulatorDatapath(drawn.settings)
        self._batch = Batch(drawn.frames, parse(drawn.frames), drawn.clocks, drawn.instances)
        self._done = self.swaps = 0
        self.steps: list[list[Any]] = []
        self.arrays: Arrays = {"clocks": drawn.clocks, "instances": drawn.instances}

    def feed(self, until: int) -> None:
        if self._done < until:
            self._twin.feed(self._batch.slice(self._done, until))
            self.steps.append(["feed", self._done, until])
            self._done = until

    def apply(self, change: Change) -> None:
        control = self._twin.control()
        if change.kind == "swap":
            self.swap()
        elif change.kind == "grant":
            budget = int(control["spent"]) + change.value
            self._twin.grant(budget)
            self.steps.append(["budget", budget])
        else:
            known = max(0, (int(control["trip"]) >> 8) - change.stale)
            self._twin.order(Detail(change.value), known)
            self.steps.append(["detail", order_word(Detail(change.value), known)])

    def swap(self) -> None:
        control = np.frombuffer(self._twin.control().tobytes(), np.uint8)
        self.arrays[f"control_{self.swaps}"] = control
        for name, array in _left(self._twin.swap_epoch()).items():
            self.arrays[f"{name}_{self.swaps}"] = array
        self.steps.append(["swap"])
        self.swaps += 1


# Keys in the order of their bytes: a hash table has none of its own.
def _left(retired: Retired) -> Arrays:
    keys = np.ascontiguousarray(retired.exact_keys).view(np.uint8)  # (n, 8 * words)
    order = np.lexsort(keys.T[::-1])
    return {
        "tfms": retired.tfms,
        "exact_keys": keys[order],
        "exact_records": retired.exact_records[order],
    }


def _wire_tests() -> list[StoredTest]:
    settings = DatapathSettings(for_memory(64 << 10, SRC, 1), 1024, Setting.AUTO)
    return [StoredTest(kind, kind, settings) for kind in ("attach", "jumbo", "trip")]


def _selected(frames: Frames) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    yield FRAMES[0], np.ones(len(frames), np.bool_)
    yield FRAMES[1], frames.lengths <= SHORT


# Each frame padded to its length, one behind the other.
def _packed(frames: Frames) -> Arrays:
    whole = [frames.frame(i) for i in range(len(frames))]
    ends = np.cumsum([len(frame) for frame in whole], dtype=np.int64)
    return {"data": np.frombuffer(b"".join(whole), np.uint8), "ends": ends}


# The beginning of a TFM that is ready for an epoch: number and secret.
def _heads(settings: DatapathSettings, epochs: int) -> NDArray[np.uint64]:
    tfms = np.zeros((1, settings.geometry.value_size), np.uint8)
    heads = np.zeros((epochs, _HEAD_WORDS), np.uint64)
    for epoch in range(epochs):
        prepare(tfms, epoch, settings.seed)
        heads[epoch] = tfms.view(np.uint64)[0, :_HEAD_WORDS]
    return heads
