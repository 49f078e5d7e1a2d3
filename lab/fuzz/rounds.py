"""One round: a random data path, random frames, random control changes, on two engines."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from lab.controller import FinishedEpoch
from lab.datapath import Batch, Datapath, DatapathSettings, SimulatorDatapath, effective_detail
from lab.replay.compare import Comparison
from lab.replay.engines import Factory
from simulator.frames import Frames
from simulator.geometry import Geometry
from simulator.layout import KEYS, MAX_ROWS, Detail, Hash, Setting
from simulator.ledger import balance
from simulator.parsing import parse


@dataclass(frozen=True)
class Change:
    """A control change before packet `at` of a round, relative to the twin's state then."""

    at: int
    kind: str  # grant, order or swap
    value: int = 0  # grant: new keys beyond those spent; order: the Detail
    stale: int = 0  # order: how many trips it does not know of


@dataclass(frozen=True)
class Round:
    """All of one round: it gives the same result wherever and whenever it is run."""

    settings: DatapathSettings
    frames: Frames
    clocks: np.ndarray[tuple[int], np.dtype[np.uint64]]
    instances: np.ndarray[tuple[int], np.dtype[np.uint64]]
    changes: tuple[Change, ...]


def random_settings(rng: np.random.Generator, key: str | None = None) -> DatapathSettings:
    """Draw a small data path: small tables meet their limits."""
    geometry = Geometry(
        key=KEYS[key or str(rng.choice(list(KEYS)))],
        instances=int(rng.integers(1, 5)),
        buckets=int(12 ** rng.random()),
        rows=int(rng.integers(1, MAX_ROWS + 1)),
        width=int(400 ** rng.random()),
        groups=int(30 ** rng.random()),
    )
    return DatapathSettings(
        geometry,
        exact_entries=int(rng.integers(1, 300)),
        setting=Setting(int(rng.choice(list(Setting), p=[0.8, 0.1, 0.1]))),
        hash=Hash(int(rng.choice(list(Hash)))),
        seed=int(rng.integers(0, 2**63)),
    )


def crowded_settings(rng: np.random.Generator) -> DatapathSettings:
    """Draw a sketch of one instance that is too small even for few keys: light counts carry."""
    drawn = random_settings(rng)
    shape = replace(
        drawn.geometry,
        instances=1,
        buckets=int(rng.integers(1, 3)),
        width=int(64 ** rng.random()),
        groups=int(24 ** rng.random()),
    )
    return replace(drawn, geometry=shape, setting=Setting.LOW)


def random_changes(rng: np.random.Generator, packets: int) -> tuple[Change, ...]:
    """Draw control changes: mostly orders that count, some stale, and budgets that run out."""
    # Few changes let counters saturate, many meet the switches; so the number is log-uniform.
    count = int((2 + packets / 32) ** rng.random())
    places = np.sort(rng.integers(0, packets, count))
    changes = []
    for at in places.tolist():
        kind = str(rng.choice(["grant", "order", "swap"], p=[0.4, 0.4, 0.2]))
        if kind == "grant":
            changes.append(Change(at, kind, int(2 ** rng.uniform(0, 12))))
        elif kind == "order":
            detail = Detail.LOW if rng.random() < 0.2 else Detail.HIGH
            changes.append(Change(at, kind, detail, stale=int(rng.random() < 0.2)))
        else:
            changes.append(Change(at, kind))
    return tuple(changes)


def random_round(
    rng: np.random.Generator, frames: Frames, settings: DatapathSettings | None = None
) -> Round:
    """Draw everything else of a round that runs these frames."""
    settings = settings or random_settings(rng)
    n = len(frames)
    clocks = np.uint64(1) + np.cumsum(rng.integers(0, 10**6, n), dtype=np.uint64)
    spread = rng.integers(1, settings.geometry.instances + 1, n).astype(np.uint64)
    return Round(settings, frames, clocks, spread, random_changes(rng, n))


def run(drawn: Round, kernel: Factory) -> Comparison:
    """Run a round on the kernel and on the twin; every swap and the end are compared."""
    with ExitStack() as stack:
        paths = [SimulatorDatapath(drawn.settings), kernel(drawn.settings, stack)]
        return _Lockstep(drawn, paths).run()


class _Lockstep:
    """Two data paths that get the same packets and the same control changes."""

    def __init__(self, drawn: Round, paths: list[Datapath]) -> None:
        self._round, self._paths = drawn, paths
        self._comparison = Comparison()
        self._whole = Batch(drawn.frames, parse(drawn.frames), drawn.clocks, drawn.instances)

    def run(self) -> Comparison:
        done = 0
        for change in self._round.changes:
            self._feed(done, change.at)
            done = change.at
            self._apply(change)
        self._feed(done, len(self._whole))
        self._swap()
        self._swap()  # the other side holds nothing any more, on both engines
        return self._comparison

    def _feed(self, start: int, stop: int) -> None:
        if start < stop:
            for path in self._paths:
                path.feed(self._whole.slice(start, stop))

    def _apply(self, change: Change) -> None:
        if change.kind == "swap":
            self._swap()
            return
        twin = self._paths[0].control()
        for path in self._paths:
            if change.kind == "grant":
                path.grant(int(twin["spent"]) + change.value)
            else:
                known = max(0, (int(twin["trip"]) >> 8) - change.stale)
                path.order(Detail(change.value), known)

    def _swap(self) -> None:
        controls = [path.control() for path in self._paths]
        self._comparison.control(controls[0], controls[1])
        glances = [path.glance() for path in self._paths]
        self._comparison.expect(glances[0] == glances[1], f"glances {glances[0]} and {glances[1]}")
        finished = [
            FinishedEpoch(
                path.swap_epoch(),
                0,
                0,
                0.0,
                effective_detail(control, self._round.settings.setting),
            )
            for path, control in zip(self._paths, controls, strict=True)
        ]
        self._comparison.epochs(finished[0], finished[1])
        for epoch in finished:
            ledger = balance(epoch.retired)
            self._comparison.expect(
                ledger.difference + ledger.byte_difference == 0,
                f"epoch {epoch.retired.epoch}: the ledger does not balance",
            )
