"""Run tasks on dask.distributed: worker processes here, or a cluster's scheduler elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from lab.errors import EnvironmentProblem
from lab.evaluation.tasks import Task, run

CONNECT_SECONDS = 10


def results(
    tasks: Sequence[Task], *, workers: int, scheduler: str | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of tasks as they are done, in no particular order."""
    if not tasks:
        return
    from distributed import as_completed

    with _client(workers, scheduler) as client:
        # One window's tasks stay together: a worker keeps the window it has read.
        futures = [client.submit(_chunk, chunk, pure=False) for chunk in chunks(tasks)]
        for future in as_completed(futures):
            yield from future.result()


def chunks(tasks: Sequence[Task]) -> list[list[Task]]:
    """Cut tasks into runs of the same window."""
    cut: list[list[Task]] = []
    for task in tasks:
        if cut and _window(cut[-1][-1]) == _window(task) and len(cut[-1]) < 8:
            cut[-1].append(task)
        else:
            cut.append([task])
    return cut


def _window(task: Task) -> tuple[str, int, str]:
    return (task.workload.name, task.seed if task.workload.seeded else 0, task.key)


def _chunk(tasks: list[Task]) -> list[dict[str, Any]]:
    return [run(task) for task in tasks]


@contextlib.contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    try:
        import distributed
    except ImportError as error:
        raise EnvironmentProblem(
            "lab eval needs dask.distributed", try_="pip install -e '.[evaluation]'"
        ) from error
    import dask

    dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s"})
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout=f"{CONNECT_SECONDS}s")
        except (OSError, ValueError) as error:
            raise EnvironmentProblem(
                f"no scheduler answers at {scheduler}",
                try_="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            ) from error
        with client:
            yield client
        return
    with (
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
