"""The subjects of the key-stream harness, and what each counts in.

Add one: an update and a BENCH line in bpf/bench.bpf.c, a line in _PLANNED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lab.bench import bcc_lane
from lab.bench.case import Case
from lab.bench.kernel_lane import KernelLane
from lab.bench.lane import Facts, Lane
from lab.bench.setup import Setup
from lab.bench.streams import KeyStream
from lab.bench.structures import PerCpuArray, Structure, Table, Tfm
from lab.bench.suite import AGAIN, Subject, Suite
from lab.kernel_datapath import knobs as glimpse_knobs
from lab.kernel_datapath import map_sizes as glimpse_map_sizes
from lab.libbpf.maps import Map
from simulator.hashing import epoch_secret
from simulator.layout import Verdict

NOOP = "noop"
BCC, BCC_NOOP = "bcc_hash", "bcc_noop"
GRID_ROWS = 4


@dataclass(frozen=True)
class Plan:
    """How a subject's program is loaded, and what becomes of its maps."""

    map_sizes: Mapping[str, int | Mapping[str, int]] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    structures: Mapping[str, Callable[[Map], Structure]] = field(default_factory=dict)


class Planned(NamedTuple):
    """A subject, and its plan."""

    subject: Subject
    plan: Callable[[Case], Plan]


def _nothing(case: Case) -> Plan:
    return Plan(knobs={"bench_secret": epoch_secret(case.setup.seed, 0).tolist()})


def _table(name: str) -> Callable[[Case], Plan]:
    return lambda case: Plan({name: case.room}, structures={name: Table})


def _sampled(case: Case) -> Plan:
    setup = case.setup
    return Plan(
        {"bench_hash_table": case.room, "bench_pauses": setup.instances},
        {"bench_one_in": setup.one_in},
        {
            "bench_hash_table": Table,
            "bench_pauses": lambda pauses: PerCpuArray(pauses, len(setup.cpus)),
        },
    )


def _grid(case: Case) -> Plan:
    setup = case.setup
    width = setup.tfm_bytes // (GRID_ROWS * 4)
    value = {"max_entries": setup.instances, "value_size": GRID_ROWS * width * 4}
    return Plan(
        {"bench_grid": value},
        {**_nothing(case).knobs, "bench_rows": GRID_ROWS, "bench_width": width},
        {"bench_grid": lambda grid: PerCpuArray(grid, len(setup.cpus))},
    )


def _tfm(case: Case) -> Plan:
    setup, settings = case.setup, case.setup.glimpse()
    sizes = glimpse_map_sizes(settings)["tfm"]
    assert isinstance(sizes, dict)
    return Plan(
        {"tfm": {**sizes, "max_entries": setup.instances}},  # one epoch buffer
        {"config": glimpse_knobs(settings, Verdict.PASS)["config"]},
        {"tfm": lambda tfm: Tfm(tfm, len(setup.cpus), setup.seed)},
    )


def _update(name: str, meaning: str, plan: Callable[[Case], Plan]) -> Planned:
    return Planned(Subject(name, meaning, NOOP), plan)


def _hash_function(name: str, meaning: str) -> Planned:
    return Planned(Subject(name, meaning, NOOP, "hash_function"), _nothing)


_PLANNED = (
    Planned(Subject(NOOP, "the harness's own uncertainty", NOOP, "harness"), _nothing),
    _update("hash", "BPF_MAP_TYPE_HASH", _table("bench_hash_table")),
    _update("percpu_hash", "BPF_MAP_TYPE_PERCPU_HASH", _table("bench_percpu_table")),
    _update("lru_hash", "BPF_MAP_TYPE_LRU_HASH", _table("bench_lru_table")),
    _update("lru_percpu_hash", "BPF_MAP_TYPE_LRU_PERCPU_HASH", _table("bench_lru_percpu_table")),
    _update("count_min", "count-min, u32, a grid per CPU", _grid),
    _update("conservative", "count-min with conservative update, u32, a grid per CPU", _grid),
    _update("tfm", "the Traffic Feature Map", _tfm),
    _update("sampled", "1 in N packets into a hash map", _sampled),
    _hash_function("murmur3", "MurmurHash3 x64 128 alone"),
    _hash_function("jhash", "Jenkins lookup3 alone"),
    _hash_function("pms", "pair-multiply-shift alone"),
)
_BCC = Subject(BCC, "BPF_HASH and increment(), compiled and loaded by bcc", BCC_NOOP)


def _lane(planned: Planned, case: Case) -> KernelLane:
    plan = planned.plan(case)
    loaded = case.load(f"bench_{planned.subject.name}", plan.knobs, plan.map_sizes)
    structures = [make(loaded.maps[name]) for name, make in plan.structures.items()]
    stats = loaded.attempt.stats
    facts = Facts(
        stats.instructions if stats else None,
        loaded.program.info().jited_size,
        sum(structure.memory() for structure in structures),
    )
    return KernelLane(case, loaded.program, structures, facts)


def open_lanes(
    setup: Setup, stream: KeyStream, names: Sequence[str], stack: ExitStack
) -> dict[str, KernelLane]:
    """Load what a case needs; closed with `stack`."""
    case = Case(setup, stream, stack)
    planned = {one.subject.name: one for one in _PLANNED}
    lanes: dict[str, KernelLane] = {}
    for name in names:
        if name == BCC:
            lanes[name] = bcc_lane.counting(case)
        elif name == BCC_NOOP:
            lanes[name] = bcc_lane.harness(case)
        else:
            lanes[name] = _lane(planned[name.removesuffix(AGAIN)], case)
    return lanes


def _open(
    setup: Setup, stream: KeyStream, names: Sequence[str], stack: ExitStack
) -> dict[str, Lane]:
    return dict(open_lanes(setup, stream, names, stack))


_SUBJECTS = [one.subject for one in _PLANNED]
UPDATES = Suite(
    "updates",
    {subject.name: subject for subject in (*_SUBJECTS, _BCC)},
    reference="hash",
    open=_open,
)
