"""How quick the diary is with many entries: `python -m verifier_diary.scale --entries 10000`.

Fills a scratch diary with synthetic entries: the lessons' recorded rejections, each many times,
with other names of programs and other lines of C. They are diagnosed, filed and indexed as real
ones are, named `synthetic_<number>`, and thrown away with the scratch folder.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from verifier_diary import journal
from verifier_diary.attempts import prepare
from verifier_diary.entries import Filter, count, entries
from verifier_diary.errors import DiaryError
from verifier_diary.export import lessons_folder
from verifier_diary.filing import file_all
from verifier_diary.listing import listing
from verifier_diary.model import Attempt, SourceText
from verifier_diary.search import search
from verifier_diary.store import Store
from verifier_diary.store_errors import BadLog

BATCH = 500  # attempts in one transaction
REPEATS = 20  # of each measurement
SHOWN = 50  # entries, as `lab diary search` prints
# A rare word, frequent ones, two words, a phrase, the beginning of a word, one that nothing holds.
QUERIES = (
    "synthetic_000042",
    "packet",
    "invalid access",
    '"invalid access to packet"',
    "unb",
    "qqqqqq",
)
_C_LINE = re.compile(r"^(; .*?)( @ )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, in seconds; `cpu` is what of it a busy machine does not add."""

    what: str
    median: float
    worst: float
    cpu: float

    def __str__(self) -> str:
        """Return it as a line of the report."""
        times = (self.median, self.worst, self.cpu)
        return f"{self.what:<46}{''.join(f'{seconds * 1e3:9.1f} ms' for seconds in times)}"


def main(arguments: list[str] | None = None) -> int:
    """Fill a scratch diary, measure, and print the times."""
    parser = argparse.ArgumentParser("python -m verifier_diary.scale", description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000, help="how many [10000]")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "diary.db"
        try:
            seconds = filled(path, options.entries)
        except DiaryError as problem:
            print(f"error: {problem}\ntry: {problem.try_}", file=sys.stderr)
            return problem.exit_code
        size = path.stat().st_size / 1e6
        print(f"{options.entries:,} synthetic entries, {size:.0f} MB, filed in {seconds:.0f} s")
        print(f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}")
        print(f"{'':<46}{'median':>12}{'worst':>12}{'CPU':>12}")
        for timing in timings(path):
            print(timing, flush=True)
    return 0


def filled(path: Path, number: int) -> float:
    """Make a diary of so many entries; returns the seconds that filing them took."""
    templates = [attempt for attempt in _recorded() if not attempt.accepted]
    if not templates:
        raise BadLog(
            f"no lessons are recorded in {lessons_folder()}", try_="as root: lab diary lessons"
        )
    start = time.perf_counter()
    with Store(path) as store:
        for first in range(0, number, BATCH):
            numbers = range(first, min(first + BATCH, number))
            prepared = [prepare(synthetic(templates[n % len(templates)], n)) for n in numbers]
            with store.writing():
                file_all(store, prepared)
    return time.perf_counter() - start


def _recorded() -> Iterator[Attempt]:
    for path in sorted(lessons_folder().glob("*.jsonl")):
        yield from journal.read(path)


def synthetic(template: Attempt, number: int) -> Attempt:
    """Return a rejection like another one, of another program and another line of C."""
    old, new = template.program.function, f"synthetic_{number:06}"
    mark = f" /* {number} */"
    log = _C_LINE.sub(rf"\1{mark}\2", template.log.replace(old, new))
    sources = tuple(
        SourceText.of(source.path, _marked(source.text.replace(old, new), mark))
        for source in template.sources[:1]
        if source.text
    )
    minute = f"{number // 1440 % 28 + 1:02}T{number // 60 % 24:02}:{number % 60:02}"
    return replace(
        template,
        id=f"{number:016x}",
        time=f"2026-01-{minute}:00.000000Z",
        program=replace(template.program, function=new, object=new),
        expected=False,
        log=log,
        sources=sources,
    )


# EXPECT_REJECT would make a lesson of it, which the list hides.
def _marked(text: str, mark: str) -> str:
    lines = (line for line in text.splitlines() if not line.startswith("EXPECT_"))
    return "".join(f"{line}{mark}\n" for line in lines)


def timings(path: Path) -> Iterator[Timing]:
    """Measure what a person waits for, on an opened diary."""
    with Store(path) as store:
        yield _timed("open the diary", lambda: Store(path).close())
        yield _timed("list all", lambda: listing(entries(store), 200))
        yield _timed("list the first 200", lambda: listing(entries(store, limit=200), 200))
        yield _timed("count", lambda: count(store, Filter()))
        for text in QUERIES:
            found = len(search(store, text, limit=None))
            yield _timed(
                f"search {text} ({found:,} found)",
                lambda text=text: listing(search(store, text, limit=SHOWN), 200),  # type: ignore[misc]
            )
    command = [sys.executable, "-m", "verifier_diary.browser.first_screen", str(path)]
    yield _timed("open the browser, Python's start included", lambda: _run(command), 5)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _timed(what: str, do: Callable[[], object], repeats: int = REPEATS) -> Timing:
    times, before = [], _cpu()
    for _ in range(repeats):
        start = time.perf_counter()
        do()
        times.append(time.perf_counter() - start)
    return Timing(what, median(times), max(times), (_cpu() - before) / repeats)


# Of this process and of the children that have ended.
def _cpu() -> float:
    return sum(os.times()[:4])


if __name__ == "__main__":
    sys.exit(main())
