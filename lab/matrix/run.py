"""Run the whole matrix: every kernel of the list, some at once, each to its end."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.errors import Busy, LabError
from lab.matrix import console, expectations, here, journaling, payload, results
from lab.matrix.accelerator import accelerator
from lab.matrix.base import base
from lab.matrix.cells import cells, trials
from lab.matrix.kernel_list import KernelEntry
from lab.matrix.outcome import KernelOutcome, exit_code_of
from lab.matrix.packages import KernelFiles, provide
from lab.matrix.programs import Listed
from lab.matrix.qemu import Accelerator, Boot, Ended
from lab.matrix.qemu import run as boot_and_wait
from lab.matrix.stored_tests import StoredTest
from lab.matrix.verdict import Evidence, Problem, problem
from lab.output import message
from verifier_diary.ownership import inherit_owner, make_directory

ANSWER_S = 120.0  # a guest that has not said a word by then never will
Tell = Callable[[str], None]


class Stopped(Exception):
    """The matrix was interrupted while this kernel was asked."""


@dataclass(frozen=True)
class Work:
    """What every kernel is asked, and where things are kept."""

    programs: Sequence[Listed]
    tests: Sequence[StoredTest]
    folder: Path  # the payload, filled
    cache: Path
    expected: Path = expectations.FOLDER
    tell: Tell = message
    advance: Callable[[float], None] = lambda steps: None
    preparing: threading.Lock = field(default_factory=threading.Lock)  # what all share is made once
    stop: threading.Event = field(default_factory=threading.Event)


def run(entries: Sequence[KernelEntry], work: Work, jobs: int) -> list[KernelOutcome]:
    """Ask every kernel; one that fails keeps none of the others from being asked."""
    expectations.check(work.expected)
    with _alone(work.cache):
        pool = ThreadPoolExecutor(jobs)
        try:
            return list(pool.map(lambda entry: ask(entry, work), entries))
        except BaseException:  # an interrupt: no guest stays behind
            work.stop.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def filled(programs: Sequence[Listed], tests: Sequence[StoredTest]) -> Iterator[Path]:
    """Yield a temporary folder with the payload of these programs and tests."""
    with tempfile.TemporaryDirectory(prefix="glimpse-matrix-") as name:
        folder = Path(name)
        payload.write(folder, programs, tests)
        yield folder


def ask(entry: KernelEntry, work: Work) -> KernelOutcome:
    """Return what came of one kernel; nothing that is wrong with it is raised."""
    try:
        outcome = _ask_here(entry, work) if entry.running else _ask_guest(entry, work)
    except LabError as error:
        outcome = _without_answer(entry, work, error)
    if outcome.problem:
        work.tell(f"{entry.name}: {outcome.problem.text}")
    return outcome


def _ask_here(entry: KernelEntry, work: Work) -> KernelOutcome:
    here.check()
    work.tell(f"{entry.name}: the running kernel")
    file = _run_folder(entry, work) / "results.log"
    ended = here.run(work.folder, file, entry.limit, _watch(file, work))
    evidence = Evidence(results.read(file), ended.seconds, entry.limit, entry.limit)
    return _judged(entry, work, _with(evidence, ended), None, None)


def _ask_guest(entry: KernelEntry, work: Work) -> KernelOutcome:
    with work.preparing:
        files = provide(entry, work.cache, work.tell)
        ground = base(work.cache)
        engine = accelerator(files.image, ground, work.cache, work.tell)
    work.tell(f"{entry.name}: booting {files.release} ({engine})")
    folder = _run_folder(entry, work)
    initramfs = folder / "initramfs"
    try:
        _concatenate(ground, work.folder, files, initramfs)
        boot = _boot(entry, files, folder, initramfs, engine)
        ended = boot_and_wait(boot, _watch(boot.results, work))
    finally:
        initramfs.unlink(missing_ok=True)
    said = boot.console.read_text("utf-8", "replace") if boot.console.exists() else ""
    evidence = Evidence(
        results.read(boot.results),
        ended.seconds,
        boot.answer_limit,
        boot.limit,
        alarms=console.alarms(said),
        console=str(boot.console),
    )
    return _judged(entry, work, _with(evidence, ended), files, engine)


def _boot(
    entry: KernelEntry, files: KernelFiles, folder: Path, initramfs: Path, engine: Accelerator
) -> Boot:
    return Boot(
        files.image,
        initramfs,
        folder / "console.log",
        folder / "results.log",
        engine,
        min(ANSWER_S, entry.limit),
        entry.limit,
    )


def _judged(
    entry: KernelEntry,
    work: Work,
    evidence: Evidence,
    files: KernelFiles | None,
    engine: Accelerator | None,
) -> KernelOutcome:
    found = evidence.results
    release = found.kernel["release"] if found.kernel else files.release if files else None
    wrong = problem(evidence)
    otherwise = expectations.exceptions(release, work.expected) if release else None
    attempts = journaling.attempts(work.programs, found, files.config if files else None, otherwise)
    journaling.keep(attempts)
    why = wrong.text if wrong else None
    rows = cells(entry.name, work.programs, found, attempts, why)
    tests = trials(entry.name, [test.name for test in work.tests], found, why)
    where = expectations.path_of(release or "unknown", work.expected)
    different = expectations.differences(
        work.programs, rows, tests, otherwise, where, told=wrong is not None
    )
    return KernelOutcome(
        entry.name,
        release,
        files.package if files else None,
        str(engine) if engine else None,
        evidence.seconds,
        found.kernel["features"] if found.kernel else {},
        tuple(rows),
        tuple(tests),
        wrong,
        3 if wrong else 0,
        tuple(different),
    )


def _without_answer(entry: KernelEntry, work: Work, error: LabError) -> KernelOutcome:
    nothing, why = results.Results(), str(error)
    return KernelOutcome(
        entry.name,
        cells=tuple(cells(entry.name, work.programs, nothing, {}, why)),
        tests=tuple(trials(entry.name, [test.name for test in work.tests], nothing, why)),
        problem=Problem(why, error.try_),
        exit_code=exit_code_of(error),
    )


def _with(evidence: Evidence, ended: Ended) -> Evidence:
    return replace(evidence, timed_out=ended.timed_out, engine=ended.problem)


# The kernel unpacks archives that lie one behind the other.
def _concatenate(ground: Path, folder: Path, files: KernelFiles, target: Path) -> None:
    own = target.with_name("payload")
    try:
        payload.initramfs(folder, files.modules, own)
        with target.open("wb") as out:
            for part in (ground, own):
                with part.open("rb") as source:
                    shutil.copyfileobj(source, out, 1 << 20)
    finally:
        own.unlink(missing_ok=True)


def _run_folder(entry: KernelEntry, work: Work) -> Path:
    folder = work.cache / "matrix" / "runs" / entry.name
    make_directory(folder)
    return folder


def _watch(file: Path, work: Work) -> Callable[[], None]:
    seen = 0

    def watch() -> None:
        nonlocal seen
        if work.stop.is_set():
            raise Stopped
        now = results.count(file)
        if now > seen:
            work.advance(now - seen)
            seen = now

    return watch


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    folder = cache / "matrix"
    make_directory(folder)
    path = folder / "lock"
    with path.open("w") as lock:
        inherit_owner(path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                f"another `lab matrix` is running (it holds {path})", try_="wait for its end"
            ) from error
        yield
