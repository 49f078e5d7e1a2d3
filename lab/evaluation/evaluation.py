"""A whole run: plan, do what is not done, check the kernel, write tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.environment import commit, environment
from lab.evaluation import plan as plans
from lab.evaluation import tables
from lab.evaluation.code import digest
from lab.evaluation.figures import draw_all
from lab.evaluation.finished import Finished
from lab.evaluation.plan import FIRST_SEED, Plan
from lab.evaluation.scheduling import results
from lab.evaluation.tasks import Task
from lab.evaluation.workloads import Workload
from lab.output import progress

SCHEMA = 1
Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What one `lab eval run` is asked to do."""

    size: str  # smoke or full
    out: Path
    captures: Sequence[Workload]
    sketches: Sequence[str]
    only: str | None = None  # a workload's name
    workers: int = 1
    scheduler: str | None = None
    captures_only: bool = False

    @property
    def plan(self) -> Plan:
        """Return the plan of this size; without its presets for a reader's own captures."""
        plan = plans.PLANS[self.size]
        return replace(plan, presets=()) if self.captures_only else plan

    def every(self) -> list[Task]:
        """Return the tasks of all workloads."""
        return plans.tasks(self.plan, self.captures, self.sketches)

    def tasks(self) -> list[Task]:
        """Return the tasks of the workloads that are wanted."""
        return [task for task in self.every() if self.only in (None, task.workload.name)]


@dataclass(frozen=True)
class Outcome:
    """What a run found."""

    rows: list[Row]
    summary: list[Row]
    done_before: int
    environment: Row


def evaluate(run: Run) -> Outcome:
    """Do every task that is not done yet and write the tables."""
    tasks = run.tasks()
    finished = Finished(run.out, digest())
    open_ = [task for task in tasks if task.id not in finished]
    with progress("measurements", len(tasks)) as advance:
        advance(len(tasks) - len(open_))
        for row in results(open_, workers=run.workers, scheduler=run.scheduler):
            finished.add(row)
            advance()
    rows = finished.select(task.id for task in tasks)
    summary = tables.summarise(rows)
    found = Outcome(rows, summary, len(tasks) - len(open_), _environment(run))
    tables.write(run.out, "accuracy", rows)
    tables.write(run.out, "accuracy-summary", summary)
    tables.write_environment(run.out, found.environment)
    draw_all({"accuracy": rows, "accuracy-summary": summary}, run.out / "figures", _origin(run))
    return found


def _origin(run: Run) -> str:
    return f"lab eval run --{run.size}, commit {commit() or 'unknown'}"


def _environment(run: Run) -> Row:
    seeds = [FIRST_SEED + number for number in range(run.plan.seeds)]
    return {
        "schema": SCHEMA,
        "size": run.size,
        "code": digest(),
        "seeds": seeds,
        "workloads": sorted({task.workload.name for task in run.tasks()}),
        "scheduler": "cluster" if run.scheduler else "local",
        **environment(seeds[0]),
    }
