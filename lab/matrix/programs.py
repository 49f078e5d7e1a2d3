"""Which programs: every object of bpf/ and every lesson, compiled once, here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import build
from lab.build import Build
from lab.errors import EnvironmentProblem
from lab.libbpf.object import Object, ObjectRefused

LESSONS = "lessons"
_KEYED = re.compile(r'^\s*#\s*include\s*"key\.h"', re.MULTILINE)
_FRAME_HELPERS = "frame_helpers"  # the knob of parse.h for kernels without bpf_xdp_get_buff_len


@dataclass(frozen=True)
class Listed:
    """One program of one object."""

    name: str  # unique: the row's name
    function: str  # empty where libbpf could not open the object
    build: Build
    lesson: str | None = None  # the file's stem
    frame_helpers: bool = False  # the object has that knob

    @property
    def expected(self) -> bool:
        """Say whether a rejection is what the program is for."""
        return self.lesson is not None and self.function.endswith("_bad")


def listed(bpf: Path = build.BPF) -> tuple[Listed, ...]:
    """Compile what is not up to date, and return every program, bpf/ first."""
    found: list[Listed] = []
    for stem, lesson in stems(bpf):
        built = build.describe(build.object_path(stem))
        found += _programs(built, lesson)
    return tuple(found)


def stems(bpf: Path) -> Iterator[tuple[str, str | None]]:
    """Yield what bpf/Makefile makes, as `build.object_path` takes it, and of which lesson."""
    sources = sorted(bpf.glob("*.bpf.c"))
    if not sources:
        raise EnvironmentProblem(
            f"the BPF sources are not at {bpf}", try_="install the lab editable: `make setup`"
        )
    for source in sources:
        stem = build.stem_of(source)
        keyed = _KEYED.search(source.read_text(encoding="utf-8"))
        yield from ((f"{stem}{key}", None) for key in (("_src", "_flow") if keyed else ("",)))
    for source in sorted((bpf / LESSONS).rglob("*.bpf.c")):
        folder = source.parent.relative_to(bpf).as_posix()
        yield f"{folder}/{build.stem_of(source)}", build.stem_of(source)


def _programs(built: Build, lesson: str | None) -> list[Listed]:
    try:
        with Object(built.object) as opened:
            names = [entry.name for entry in opened.programs()]
            sections = opened.btf.sections.values()
            variables = {opened.btf.types[v[0]].name for s in sections for v in s.variables}
    except ObjectRefused:
        return [Listed(built.stem, "", built, lesson)]
    knob = _FRAME_HELPERS in variables
    return [Listed(_row(built, n, names, lesson), n, built, lesson, knob) for n in names]


# A lesson's functions carry its name; elsewhere the object does.
def _row(built: Build, function: str, all_of_it: list[str], lesson: str | None) -> str:
    if lesson is not None:
        return function
    return built.stem if len(all_of_it) == 1 else f"{built.stem}:{function}"
