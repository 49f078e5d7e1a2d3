"""What a run measures: `--smoke` in minutes, `--full` in an hour, on two cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.evaluation.deployment import SPREAD, STEER
from lab.evaluation.subjects import HASH, TFM
from lab.evaluation.tasks import Task
from lab.evaluation.workloads import Workload, preset

TENTH = 0.1
# Layouts were tuned with seeds 0 to 9 (docs/decisions/); what is reported comes from others.
FIRST_SEED = 100
CAIDA_PACKETS = 2_500_000  # 5 s of a CAIDA 2016 trace (Yang et al., SIGCOMM 2018)
PRESET_PACKETS = 1_000_000
PRESETS = ("zipf-0.8", "zipf-1.0", "zipf-1.3", "spoofed-flood", "churn")


@dataclass(frozen=True)
class Plan:
    """How much a run does."""

    seeds: int
    shares: tuple[float, ...]
    keys: tuple[str, ...]
    presets: tuple[Workload, ...]
    sweep_seeds: int  # of the sweep over sizes and of the peers


SMOKE = Plan(
    seeds=2,
    shares=(0.05, TENTH),
    keys=("src",),
    presets=(preset("caida-2016", CAIDA_PACKETS), preset("zipf-1.0", PRESET_PACKETS)),
    sweep_seeds=1,
)
FULL = Plan(
    seeds=10,
    shares=(0.025, 0.05, TENTH, 0.2),
    keys=("src", "flow"),
    presets=(
        preset("caida-2016", CAIDA_PACKETS),
        *(preset(name, PRESET_PACKETS) for name in PRESETS),
    ),
    sweep_seeds=10,
)
PLANS = {"smoke": SMOKE, "full": FULL}


def tasks(plan: Plan, captures: Sequence[Workload], sketches: Sequence[str]) -> list[Task]:
    """Return every task of a plan once; those of one window stand together."""
    every = {task.id: task for task in _all(plan, captures, sketches)}
    return sorted(every.values(), key=lambda t: (t.workload.name, t.seed, t.key, t.sketch, t.share))


def _all(plan: Plan, captures: Sequence[Workload], sketches: Sequence[str]) -> Iterator[Task]:
    for workload in (*captures, *plan.presets):
        for key in plan.keys:
            yield from _claimed(plan, workload, key)
            for seed in _seeds(plan.sweep_seeds):
                for sketch in sketches:
                    for share in (1.0,) if sketch == HASH else plan.shares:
                        yield Task(workload, key, sketch, share, seed)
                yield from (Task(workload, key, HASH, share, seed) for share in plan.shares)


# The TFM at a tenth: what the claims are about, and the cases reported beside them.
def _claimed(plan: Plan, workload: Workload, key: str) -> Iterator[Task]:
    for seed in _seeds(plan.seeds):
        for reference in ("hash", "percpu_hash", "double_hash"):
            yield Task(workload, key, TFM, TENTH, seed, reference, steering=STEER)
        yield Task(workload, key, TFM, TENTH, seed, steering=SPREAD)
        yield Task(workload, key, TFM, TENTH, seed, instances=1)


def _seeds(count: int) -> range:
    return range(FIRST_SEED, FIRST_SEED + count)
