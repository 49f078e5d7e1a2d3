"""What each kernel is expected to say, in files beside the tests; a difference names both.

A lesson's bad program is refused with its class, all else is accepted, and every test passes. A
kernel series that says otherwise has a file with its exceptions:

    [otherwise]
    not_equal_bad = "map_value_bounds"
    stack_uninit_bad = "accepted"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab import build
from lab.errors import BadInput
from lab.matrix.cells import Cell, Trial, Verdict
from lab.matrix.programs import Listed
from verifier_diary.classes import BY_ID
from verifier_diary.scrub import relative

FOLDER = build.BPF.parent / "tests" / "kernel" / "expected"
PASSED = "passed"
# What any kernel must take, whether it has a file or not.
CORE = re.compile(r"(?:hello|(?:baseline|count_min|glimpse)_(?:src|flow))")


def series_of(release: str) -> str:
    """Return `6.1` of `6.1.0-56-cloud-amd64`."""
    match = re.match(r"\d+\.\d+", release)
    return match[0] if match else release


def path_of(release: str, folder: Path = FOLDER) -> Path:
    """Return the file of a release's series, whether it is there or not."""
    return folder / f"{series_of(release)}.toml"


def exceptions(release: str, folder: Path = FOLDER) -> dict[str, str] | None:
    """Return what a kernel is expected to say otherwise, by program; None without a file."""
    path = path_of(release, folder)
    return read(path) if path.exists() else None


def check(folder: Path = FOLDER) -> None:
    """Raise BadInput where one of the files cannot be read."""
    for path in sorted(folder.glob("*.toml")):
        read(path)


def read(path: Path) -> dict[str, str]:
    """Return the exceptions of one file; raises BadInput."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    listed = document.get("otherwise", {})
    known = {str(Verdict.ACCEPTED), *BY_ID}
    for program, finding in listed.items():
        if finding not in known:
            raise BadInput(
                f"{path}: {program} = {finding!r} is neither `accepted` nor a class",
                try_="the classes are in docs/diary/by-class.md",
            )
    return dict(listed)


def expected(program: Listed, otherwise: Mapping[str, str]) -> str:
    """Return `accepted`, or the class that a program is refused with."""
    if program.name in otherwise:
        return otherwise[program.name]
    if program.expected and program.lesson in BY_ID:
        return program.lesson
    return str(Verdict.ACCEPTED)


def differences(
    programs: Sequence[Listed],
    cells: Sequence[Cell],
    tests: Sequence[Trial],
    otherwise: Mapping[str, str] | None,
    where: Path,
    *,
    told: bool = False,
) -> Iterator[str]:
    """Yield a sentence for each cell of one kernel that is not as expected.

    `told` says that the kernel's problem explains what has no verdict. Without a file only what the
    product needs on any kernel is compared.
    """
    listed = {program.name: program for program in programs}
    for cell in cells:
        nameless = otherwise is None and not CORE.fullmatch(cell.program)
        if nameless or (told and cell.verdict is Verdict.ERROR):
            continue
        wanted = expected(listed[cell.program], otherwise or {})
        if cell.finding != wanted:
            said = f" ({cell.message})" if cell.message else ""
            place = relative(where) if otherwise is not None else "every kernel"
            yield (
                f"{cell.kernel}: {cell.program} is expected to be {_words(wanted)} ({place}), "
                f"and was {_words(cell.finding)}{said}"
            )
    for name in sorted(set(otherwise or {}) - set(listed)):
        yield f"{relative(where)} names {name}, which is no program of bpf/"
    for test in tests:
        if test.verdict != PASSED and not (told and test.verdict == Verdict.ERROR):
            said = f"{test.verdict}: {test.message}"
            yield f"{test.kernel}: test {test.test} is expected to pass, and its verdict is {said}"


def _words(finding: str) -> str:
    if finding == Verdict.ERROR:
        return "not judged"
    return finding if finding == Verdict.ACCEPTED else f"rejected as {finding}"
