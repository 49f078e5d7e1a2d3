"""Run the same work on several CPUs at once, one pinned thread on each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def bench_cpus(which: str) -> list[int]:
    """Return the CPUs of `1`, the first that this process may use, or of `all`."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed if which == "all" else allowed[:1]


def on_each(cpus: Sequence[int], work: Callable[[int], T]) -> list[T]:
    """Return `work(i)` of each i, run on cpus[i], all begun together.

    A thread and not this process is pinned. BPF_PROG_TEST_RUN is called without Python's lock, so
    the threads really run side by side. The first failure is raised.
    """
    together = threading.Barrier(len(cpus))
    results: dict[int, T] = {}
    failures: list[BaseException] = []

    def run(i: int) -> None:
        try:
            os.sched_setaffinity(0, [cpus[i]])
            together.wait()
            results[i] = work(i)
        except BaseException as error:
            together.abort()
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(cpus))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    causes = [error for error in failures if not isinstance(error, threading.BrokenBarrierError)]
    for error in causes or failures:
        raise error
    return [results[i] for i in range(len(cpus))]
