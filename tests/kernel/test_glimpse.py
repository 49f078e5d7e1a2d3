"""The data path in the kernel: equal to its twin, and whole under concurrency."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from lab import build, loader, memory
from lab.datapath import DatapathSettings
from lab.fuzz.rounds import random_round, random_settings, run
from lab.kernel_datapath import KernelDatapath
from lab.libbpf import probe
from lab.libbpf.test_run import run_frames
from simulator.frames import Frames
from simulator.geometry import Geometry, for_memory
from simulator.hashing import epoch_secret
from simulator.layout import BASELINE_RECORD, KEYS, SRC, TOTALS, Hash, Key, Setting
from simulator.ledger import Ledger, balance
from simulator.metrics import truth
from simulator.parsing import parse
from simulator.sketches.count_min import CountMin
from simulator.traffic import frames_for, generate
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]


def kernel(settings: DatapathSettings, stack: ExitStack) -> KernelDatapath:
    return KernelDatapath(settings, stack)


def some_frames(key: Key, packets: int, seed: int) -> Frames:
    """Return valid frames of a skewed stream, one in four with a byte changed."""
    keys, lengths, times = generate("zipf-1.1", packets, seed=seed, key=key)
    frames = frames_for(keys, lengths, times)
    rng = np.random.default_rng(seed)
    data = frames.data.copy()
    hit = rng.random(packets) < 0.25
    at = frames.offsets[hit] + rng.integers(12, frames.captured[hit])
    data[at] = rng.integers(0, 256, len(at))
    return Frames(data, frames.offsets, frames.captured, frames.lengths, frames.times_ns)


@pytest.mark.parametrize("seed", range(12))
def test_random_rounds_agree_with_the_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    settings = random_settings(rng, key=list(KEYS)[seed % 2])
    drawn = random_round(rng, some_frames(settings.geometry.key, 4000, seed), settings)
    comparison = run(drawn, kernel)
    assert comparison.examples == []
    assert comparison.differences == 0
    assert comparison.packets == 4000
    assert comparison.bytes > 1000


@pytest.mark.parametrize("family", list(Hash))
@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_every_hash_family_agrees_with_the_twin(family: Hash, key: Key) -> None:
    rng = np.random.default_rng(17)
    geometry = Geometry(key, 2, 5, 4, 333)
    settings = DatapathSettings(geometry, 64, Setting.LOW, family, seed=2**63 + 5)
    comparison = run(random_round(rng, some_frames(key, 3000, 8), settings), kernel)
    assert comparison.differences == 0
    assert comparison.packets == 3000


@pytest.mark.parametrize(("groups", "width"), [(1, 2), (4, 3), (32, 64)])
@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_large_counts_in_the_light_part_agree_with_the_twin(
    key: Key, groups: int, width: int
) -> None:
    """One bucket for a dozen equal keys: cells fill, carry and reach their limit."""
    geometry = Geometry(key, 1, 1, 2, width, groups)
    settings = DatapathSettings(geometry, 1, Setting.LOW, seed=3)
    frames = frames_for(*generate("constant", 30_000, seed=1, key=key, keys=12))
    drawn = replace(random_round(np.random.default_rng(1), frames, settings), changes=())
    comparison = run(drawn, kernel)
    assert comparison.examples == []
    assert comparison.packets == 30_000


@pytest.mark.parametrize("setting", list(Setting))
def test_all_cpus_at_once_keep_the_ledger(setting: Setting) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    instances = max(cpus) + 1
    settings = DatapathSettings(for_memory(256 << 10, SRC, instances), 100, setting)
    keys, lengths, times = generate("caida-2016", 60_000, seed=3)
    frames = frames_for(keys, lengths, times)
    with ExitStack() as stack:
        path = KernelDatapath(settings, stack, live=True)
        path.grant(2**40)
        seen = _swap_while_running(path, frames, cpus)
    assert seen.difference == seen.byte_difference == 0
    assert seen.seen == len(frames) * len(cpus)
    assert (seen.exact > 0) is (setting is not Setting.LOW)
    assert seen.sketched > 0  # the table is too small for all keys


def _swap_while_running(path: KernelDatapath, frames: Frames, cpus: list[int]) -> Ledger:
    """Run all frames on every CPU at once, swapping epochs meanwhile; returns the whole ledger."""
    failures: list[int] = []

    def work(cpu: int) -> None:
        os.sched_setaffinity(0, {cpu})
        failures.append(run_frames(path.program, frames).errno)

    threads = [threading.Thread(target=work, args=(cpu,)) for cpu in cpus]
    for thread in threads:
        thread.start()
    ledger = balance(path.swap_epoch())
    while any(thread.is_alive() for thread in threads):
        ledger += balance(path.swap_epoch())
    for thread in threads:
        thread.join()
    assert failures == [0] * len(cpus)
    return ledger + balance(path.swap_epoch()) + balance(path.swap_epoch())


@pytest.mark.parametrize("entries", [100, 1000, 16384])
@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_memory_formula_equals_the_kernels_account(key: Key, entries: int) -> None:
    if not probe.feature("memlock_exact"):
        pytest.skip("memlock counts no hash elements before Linux 6.3; run it on a later kernel")
    with loader.load(
        build.object_path(f"baseline_{key.name}"), map_sizes={"baseline_counts": entries}
    ) as loaded:
        loaded.require()
        account = loaded.maps["baseline_counts"].memlock() or 0
    formula = memory.hash_bytes(entries, key.dtype.itemsize, BASELINE_RECORD.itemsize)
    assert account == pytest.approx(formula, abs=16 * 1024, rel=0.01)


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_baseline_counts_equal_the_truth(key: Key) -> None:
    frames = some_frames(key, 5000, 4)
    parsed = parse(frames)
    ip = parsed.outcomes == 0
    keys, packets, sizes = truth(parsed.keys(key)[ip], parsed.lengths[ip])
    with loader.load(build.object_path(f"baseline_{key.name}")) as loaded:
        assert run_frames(loaded.require(), frames).done == len(frames)
        entries = loaded.maps["baseline_counts"].read()
        totals = loaded.maps["totals"].lookup(bytes(4)) or b""
    records = np.ascontiguousarray(entries.values).view(BASELINE_RECORD)[:, 0]
    counts = {k.tobytes(): r.tolist() for k, r in zip(entries.keys, records, strict=True)}
    rows = zip(keys, packets.tolist(), sizes.tolist(), strict=True)
    assert counts == {k.tobytes(): (n, size) for k, n, size in rows}
    seen = np.frombuffer(totals, TOTALS)[0]
    assert seen["seen"] == len(frames)
    assert seen["counted"] == packets.sum()
    assert seen["seen"] == seen["counted"] + seen["not_ip"] + seen["malformed"]


@pytest.mark.parametrize("family", list(Hash))
@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_count_min_equals_its_twin(family: Hash, key: Key) -> None:
    rows, width, secret = 3, 777, epoch_secret(5, 0)
    frames = some_frames(key, 4000, 6)
    parsed = parse(frames)
    twin = CountMin(rows, width, secret, family)
    twin.update(parsed.keys(key)[parsed.outcomes == 0])
    with loader.load(
        build.object_path(f"count_min_{key.name}"),
        knobs={
            "count_min_rows": rows,
            "count_min_width": width,
            "count_min_hash": int(family),
            "count_min_hash_key": secret.tobytes(),
        },
        map_sizes={"count_min_grid": {"value_size": rows * width * 4}},
    ) as loaded:
        assert run_frames(loaded.require(), frames).done == len(frames)
        grid = loaded.maps["count_min_grid"].memory()[0, : rows * width * 4].copy()
    assert (grid.view(np.uint32).reshape(rows, width) == twin.grid).all()
    assert twin.grid.sum() == rows * (parsed.outcomes == 0).sum()


@pytest.mark.parametrize("name", ["glimpse", "baseline", "count_min"])
@pytest.mark.parametrize("key", list(KEYS))
def test_programs_are_accepted_with_their_default_knobs(name: str, key: str) -> None:
    with loader.load(build.object_path(f"{name}_{key}")) as loaded:
        assert loaded.accepted, loaded.attempt.log
