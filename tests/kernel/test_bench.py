"""The harness's proof: every subject of `lab bench` counts exactly what it was fed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from lab.bench import bcc_lane, packets, streams
from lab.bench.feed import PACKET_BYTES, feed
from lab.bench.kernel_lane import KernelLane
from lab.bench.pinned import bench_cpus
from lab.bench.setup import Setup
from lab.bench.streams import KeyStream
from lab.bench.structures import PerCpuArray, Table
from lab.bench.subjects import BCC, GRID_ROWS, UPDATES, open_lanes
from lab.cli import run
from lab.errors import LabError
from lab.libbpf.timed_run import TimedRun
from simulator.glimpse import Glimpse
from simulator.hashing import epoch_secret, hash_many, reduce, row_bits
from simulator.layout import FLOW, HEADER, KEYS, Hash, Outcome
from simulator.parsing import Parsed
from simulator.sketches.count_min import CountMin
from tests.kernel.conftest import FORCE, needs_clang, needs_kernel, needs_root

pytestmark = [
    needs_root,
    needs_clang,
    needs_kernel(feature="bpf_loop", min="5.17"),
    pytest.mark.xdist_group("bcc"),
]

SEED, ONE_IN, TFM_BYTES = 5, 7, 16 << 10
N_KEYS, PACKETS = 150, 2500
U64 = np.ndarray
TABLES = ("hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "sampled", BCC)


def setup(key: str, cpus: str) -> Setup:
    return Setup(KEYS[key], tuple(bench_cpus(cpus)), TFM_BYTES, ONE_IN, SEED)


def stream_of(name: str, key: str) -> KeyStream:
    return streams.draw(name, N_KEYS, PACKETS, KEYS[key], SEED)


class Fed:
    """A lane that was emptied, warmed up and run once, and the keys that each CPU gave it."""

    def __init__(self, subject: str, stream: KeyStream, chosen: Setup, stack: ExitStack) -> None:
        if subject == BCC:
            require_bcc()
        self.setup = chosen
        self.lane: KernelLane = open_lanes(chosen, stream, [subject], stack)[subject]
        self.lane.prepare()
        self.results = self.lane.run()
        layout = self.lane.case.layout
        self.passes = [layout.keys[share.start : share.stop] for share in layout.shares]
        self.per_cpu = [
            one if stream.fresh else np.concatenate([layout.keys[share.first : share.stop], one])
            for share, one in zip(layout.shares, self.passes, strict=True)
        ]

    @property
    def all(self) -> U64:
        return np.concatenate(self.per_cpu)


def require_bcc() -> None:
    missing = bcc_lane.available()
    if missing and os.environ.get(FORCE) == "local":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(f"{missing}; run scripts/provision.sh, then `make setup`")


@pytest.fixture(params=["1", "all"])
def cpus(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(KEYS))
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["zipf-1.1", "distinct"])
def stream(request: pytest.FixtureRequest, key: str) -> KeyStream:
    return stream_of(request.param, key)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def counts_of(keys: U64) -> Counter[bytes]:
    return Counter(key.tobytes() for key in keys)


def contents(lane: KernelLane) -> dict[bytes, list[int]]:
    """Return each key's numbers, those of all CPUs added up."""
    (table,) = [one.map for one in lane.structures if isinstance(one, Table)]
    entries = table.read()
    fields = table.value_size // 8
    numbers = entries.values.view(np.uint64).reshape(len(entries.keys), -1, fields).sum(axis=1)
    return {
        key.tobytes(): values for key, values in zip(entries.keys, numbers.tolist(), strict=True)
    }


def grids(lane: KernelLane) -> U64:
    (array,) = [one for one in lane.structures if isinstance(one, PerCpuArray)]
    return array.values


def width() -> int:
    return TFM_BYTES // (GRID_ROWS * 4)


@pytest.mark.parametrize("subject", TABLES)
def test_tables_have_exact_counts(
    subject: str, stream: KeyStream, key: str, cpus: str, stack: ExitStack
) -> None:
    fed = Fed(subject, stream, setup(key, cpus), stack)
    if subject == "sampled":
        truth = sum((counts_of(one[ONE_IN - 1 :: ONE_IN]) for one in fed.per_cpu), Counter())
    else:
        truth = counts_of(fed.all)
    packets_only = subject == BCC
    assert contents(fed.lane) == {
        one: [count] if packets_only else [count, count * PACKET_BYTES]
        for one, count in truth.items()
    }


def test_count_min_equals_its_twin_on_each_cpu(
    stream: KeyStream, key: str, cpus: str, stack: ExitStack
) -> None:
    fed = Fed("count_min", stream, setup(key, cpus), stack)
    for cpu, keys in zip(fed.setup.cpus, fed.per_cpu, strict=True):
        twin = CountMin(GRID_ROWS, width(), epoch_secret(SEED, 0))
        twin.update(keys)
        assert np.array_equal(grids(fed.lane)[cpu].view(np.uint32), twin.grid.ravel())
        assert twin.grid.sum() == GRID_ROWS * len(keys) > 0


def test_conservative_update_raises_only_the_smallest(
    stream: KeyStream, key: str, cpus: str, stack: ExitStack
) -> None:
    fed = Fed("conservative", stream, setup(key, cpus), stack)
    for cpu, keys in zip(fed.setup.cpus, fed.per_cpu, strict=True):
        grid = np.zeros((GRID_ROWS, width()), np.uint32)
        rows = np.arange(GRID_ROWS)
        for h1 in hash_many(Hash.MURMUR3, keys, epoch_secret(SEED, 0))[:, 0]:
            columns = [reduce(row_bits(h1, int(row)), width()) for row in rows]
            counters = grid[rows, columns]
            grid[rows, columns] = np.maximum(counters, counters.min() + 1)
        assert np.array_equal(grids(fed.lane)[cpu].view(np.uint32), grid.ravel())


def test_tfm_equals_its_twin_on_each_cpu(
    stream: KeyStream, key: str, cpus: str, stack: ExitStack
) -> None:
    fed = Fed("tfm", stream, setup(key, cpus), stack)
    settings = fed.setup.glimpse()
    for cpu, keys in zip(fed.setup.cpus, fed.per_cpu, strict=True):
        twin = Glimpse(
            settings.geometry, exact_entries=1, setting=settings.setting, seed=settings.seed
        )
        flows = np.zeros((len(keys), FLOW.words), np.uint64)
        flows[:, : keys.shape[1]] = keys
        outcomes = np.full(len(keys), Outcome.IP, np.uint8)
        lengths = np.full(len(keys), PACKET_BYTES, np.uint32)
        ones = np.ones(len(keys), np.uint64)
        twin.feed(Parsed(outcomes, flows, lengths), ones, ones * np.uint64(cpu + 1))
        expected, found = twin.tfms[cpu].copy(), grids(fed.lane)[cpu]
        head = expected[: HEADER.itemsize].view(HEADER)
        assert head["sketched"] == len(keys)
        head["seen"] = head["seen_bytes"] = 0  # the whole program's accounts
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("family", list(Hash), ids=lambda family: family.name.lower())
def test_hash_functions_hash_every_key(
    family: Hash, stream: KeyStream, key: str, cpus: str, stack: ExitStack
) -> None:
    fed = Fed(family.name.lower(), stream, setup(key, cpus), stack)
    for result, keys in zip(fed.results, fed.passes, strict=True):
        hashes = hash_many(family, keys, epoch_secret(SEED, 0))
        assert result.digest == int(hashes.sum(dtype=np.uint64))
        assert result.packets == len(keys)


def test_noop_reads_every_key(stream: KeyStream, key: str, cpus: str, stack: ExitStack) -> None:
    fed = Fed("noop", stream, setup(key, cpus), stack)
    for result, keys in zip(fed.results, fed.passes, strict=True):
        assert result.digest == int((keys[:, 0] + keys[:, -1]).sum(dtype=np.uint64))


@pytest.mark.parametrize("subject", [name for name in UPDATES.subjects if name != BCC])
def test_facts_are_those_of_the_loaded_program(
    subject: str, key: str, cpus: str, stack: ExitStack
) -> None:
    lane = open_lanes(setup(key, cpus), stream_of("distinct", key), [subject], stack)[subject]
    info = lane.program.info()
    assert lane.facts.instructions == info.verified_insns > 0
    assert lane.facts.jited_bytes == info.jited_size > 0
    kind = UPDATES.subjects[subject].kind
    assert bool(lane.facts.memory_bytes) is (kind == "update")


def test_keys_that_are_not_there_are_an_error(stack: ExitStack) -> None:
    fed = Fed("noop", stream_of("distinct", "src"), setup("src", "1"), stack)
    with pytest.raises(LabError, match=rf"bench_noop took {N_KEYS} of {N_KEYS + 1} keys from 0"):
        feed(fed.lane.program, 0, N_KEYS + 1)


def test_verdict_other_than_pass_is_an_error(stack: ExitStack) -> None:
    fed = Fed("noop", stream_of("distinct", "src"), setup("src", "1"), stack)
    too_short = np.zeros(4, np.uint64)
    with pytest.raises(LabError, match="bench_noop returned 0, not XDP_PASS"):
        TimedRun(fed.lane.program, too_short)()


def test_table_is_empty_again_before_every_round(stack: ExitStack) -> None:
    fed = Fed("hash", stream_of("distinct", "src"), setup("src", "1"), stack)
    assert fed.lane.measure() > 0
    assert contents(fed.lane) == {
        one: [1, PACKET_BYTES] for one in counts_of(fed.lane.case.stream.keys)
    }


def packets_counted(program: str, lane: packets.PacketLane) -> int:
    maps = lane.loaded.maps
    if program == "count_min":
        return int(maps["count_min_grid"].memory().view(np.uint32).sum()) // GRID_ROWS
    if program == "glimpse_low":
        header = maps["tfm"].memory()[:, : HEADER.itemsize].copy().view(HEADER)
        return int(header["sketched"].sum())
    table = maps["baseline_counts" if program == "baseline" else "exact_0"]
    return int(table.read().values.view(np.uint64).reshape(-1, table.value_size // 8)[:, 0].sum())


@pytest.mark.parametrize("program", list(packets.PROGRAMS.subjects))
def test_programs_count_every_packet(
    program: str, key: str, stream: KeyStream, stack: ExitStack
) -> None:
    lane = packets.open_lanes(setup(key, "1"), stream, [program], stack)[program]
    assert lane.once() > 0
    warm_up = 0 if stream.fresh else len(stream.population) + len(stream.keys)
    assert packets_counted(program, lane) == warm_up + len(stream.keys)


def test_driver_of_packets_sends_the_streams_sources(stack: ExitStack) -> None:
    stream = stream_of("zipf-1.1", "src")
    lane = packets.open_lanes(setup("src", "1"), stream, ["baseline"], stack)["baseline"]
    lane.once()
    found = lane.loaded.maps["baseline_counts"].read()
    truth = counts_of(np.concatenate([stream.population, stream.keys, stream.keys]))
    assert {
        key.tobytes(): value
        for key, value in zip(found.keys, found.values.view(np.uint64)[:, 0].tolist(), strict=True)
    } == truth


def test_command_gives_a_row_for_each_subject_and_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    require_bcc()
    code = run(["bench", "--streams", "zipf-1.3,distinct", "--keys", "20000", "--format", "json"])
    out, error = capsys.readouterr()
    assert code == 0, error
    found = json.loads(out)
    assert {(row["subject"], row["keys"]) for row in found["results"]} == {
        (subject, name) for subject in UPDATES.subjects for name in ("zipf-1.3", "distinct")
    }
    assert all(row["instructions"] > 0 and row["repeats"] == 10 for row in found["results"])
    assert found["skipped"] == {}
