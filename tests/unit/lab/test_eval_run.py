"""A whole evaluation: what is done again, what is not, and what is written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lab import cli
from lab.commands.eval import command
from lab.errors import BadInput, EnvironmentProblem
from lab.evaluation import code, evaluation, plan, scheduling
from lab.evaluation.evaluation import Run, evaluate
from lab.evaluation.finished import FILE, Finished
from lab.evaluation.plan import SMOKE, Plan
from lab.evaluation.tables import summarise
from lab.evaluation.tasks import Task, run
from lab.evaluation.workloads import preset

TINY = Plan(1, (0.2,), ("src",), (preset("zipf-1.0", 5_000),), 1)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Run tasks in this process, without dask; returns those that were run."""
    done: list[Task] = []

    def results(tasks: Sequence[Task], **_: Any) -> Iterator[dict[str, Any]]:
        for task in tasks:
            done.append(task)
            yield run(task)

    monkeypatch.setattr(evaluation, "results", results)
    monkeypatch.setitem(plan.PLANS, "smoke", TINY)
    monkeypatch.delenv("GLIMPSE_TRACES", raising=False)
    return done


def tiny(out: Path) -> Run:
    return Run("smoke", out, [], ("tfm", "hash"))


def test_finished_work_is_not_done_again(tmp_path: Path, here: list[Task]) -> None:
    first = evaluate(tiny(tmp_path))
    count = len(here)
    second = evaluate(tiny(tmp_path))
    assert len(here) == count > 0
    assert second.done_before == count
    assert second.rows == first.rows


def test_what_was_interrupted_is_taken_up(tmp_path: Path, here: list[Task]) -> None:
    evaluate(tiny(tmp_path))
    count = len(here)
    path = tmp_path / FILE
    path.write_text(path.read_text()[:-20])  # the last row, cut by a crash
    evaluate(tiny(tmp_path))
    assert len(here) == count + 1


def test_rows_that_other_code_measured_are_not_taken(
    tmp_path: Path, here: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(tiny(tmp_path))
    count = len(here)
    monkeypatch.setattr(evaluation, "digest", lambda: "other")
    evaluate(tiny(tmp_path))
    assert len(here) == 2 * count


def test_tables_figures_and_environment_are_written(tmp_path: Path, here: list[Task]) -> None:
    found = evaluate(tiny(tmp_path))
    with (tmp_path / "accuracy.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(found.rows)
    assert (tmp_path / "accuracy.parquet").read_bytes()[:4] == b"PAR1"
    record = json.loads((tmp_path / "environment.json").read_text())
    assert {"kernel", "cpu", "commit", "code", "seeds"} <= set(record)
    memory = (tmp_path / "figures" / "memory.csv").read_text()
    assert memory.startswith("# lab eval run --smoke, commit ")
    assert b"<desc>" in (tmp_path / "figures" / "memory.svg").read_bytes()


def test_a_damaged_file_of_rows_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("not a row\n{}\n")
    with pytest.raises(BadInput, match=r"rows.jsonl:1 is no row of an evaluation"):
        Finished(tmp_path, "code")


def test_a_summary_has_the_mean_and_the_range_of_the_seeds() -> None:
    rows = [run(Task(preset("zipf-1.0", 5_000), "src", "tfm", 0.2, seed)) for seed in (1, 2)]
    [summary] = summarise(rows)
    values = [row["weighted"] for row in rows]
    assert summary["seeds"] == 2
    assert summary["weighted_low"] == min(values)
    assert summary["weighted"] == pytest.approx(sum(values) / 2)


def test_chunks_keep_a_window_together_and_lose_nothing() -> None:
    tasks = plan.tasks(SMOKE, [], ("tfm", "salsa"))
    chunks = scheduling.chunks(tasks)
    assert [task for chunk in chunks for task in chunk] == tasks
    assert all(len({(t.workload.name, t.seed) for t in chunk}) == 1 for chunk in chunks)


def test_a_plan_names_every_task_once() -> None:
    ids = [task.id for task in plan.tasks(plan.FULL, [], ("tfm", "hash"))]
    assert len(ids) == len(set(ids))


def test_the_digest_changes_with_the_simulator_and_not_with_a_figure(tmp_path: Path) -> None:
    for name in ("simulator/a.py", "lab/evaluation/figures/b.py", "lab/memory.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("first")
    before = code.digest(tmp_path)
    (tmp_path / "lab/evaluation/figures/b.py").write_text("second")
    assert code.digest(tmp_path) == before
    (tmp_path / "simulator/a.py").write_text("second")
    assert code.digest(tmp_path) != before


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the evaluation extra is not installed")
    monkeypatch.setattr(scheduling, "CONNECT_SECONDS", 1)
    task = Task(preset("zipf-1.0", 100), "src", "tfm", 0.2, 1)
    with pytest.raises(EnvironmentProblem, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        list(scheduling.results([task], workers=1, scheduler="tcp://127.0.0.1:1"))


def test_the_command_prints_the_summary(tmp_path: Path, here: list[Task]) -> None:
    arguments = ["run", "--out", str(tmp_path), "--format", "json", "--only", "zipf-1.0"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert {row["sketch"] for row in document["results"]} >= {"tfm", "hash", "salsa"}
    assert "GLIMPSE_TRACES is not set" in done.stderr


def test_an_unknown_workload_is_a_usage_error(
    tmp_path: Path, here: list[Task], capsys: pytest.CaptureFixture[str]
) -> None:
    code_ = cli.run(["eval", "run", "--out", str(tmp_path), "--only", "nothing"])
    assert code_ == 2
    said = capsys.readouterr().err
    assert "error: there is no workload 'nothing'" in said
    assert "try: one of: zipf-1.0" in said
