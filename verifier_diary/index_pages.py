"""The diary's front page and its indexes: by class, by kernel, by program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from verifier_diary.classes import BY_ID, OUTSIDE
from verifier_diary.exported import Export, Exported
from verifier_diary.markdown import code, escape, link, table


def index(export: Export) -> Iterator[str]:
    """Yield the front page."""
    met, lessons = export.met, export.lessons
    yield "# The verifier diary"
    yield (
        f"{len(export.entries)} rejections by the kernel's verifier and by those who stand before "
        "it, each captured from a real load: what was refused, why, how it came to that, and what "
        f"cured it. {len(met)} were met while this project was made; {len(lessons)} are lessons, "
        "the smallest programs that provoke one class of error each."
    )
    yield "\n".join(
        f"- {line}"
        for line in (
            "[By class](by-class.md): every class of error that is known, met or not",
            "[By kernel](by-kernel.md)",
            "[By program](by-program.md)",
            "[Statistics](statistics.md): what rejected us most, and how many tries a cure took",
            "[Development log](development.md): what happened when",
        )
    )
    if met:
        yield "## Met while this project was made"
        yield entry_list(met)
    if lessons:
        yield "## Lessons"
        yield (
            "Programs that are wanted to fail, and their smallest cure. Their sources are in "
            "`bpf/lessons/`."
        )
        yield entry_list(lessons)


def entry_list(entries: Iterable[Exported], up: str = "") -> str:
    """Return a table of entries; `up` leads to the diary's folder."""
    rows = [
        (
            link(code(entry.message) or "no message", f"{up}entries/{entry.id}.md"),
            link(escape(entry.class_id), f"{up}classes/{entry.class_id}.md"),
            code(entry.program),
            code(entry.place),
            entry.state,
        )
        for entry in entries
    ]
    return table(("message", "class", "program", "C line", "state"), rows)


def by_class(export: Export) -> Iterator[str]:
    """Yield the index of classes: all that the catalogue knows."""
    yield "# Verifier errors by class"
    yield "By the categories of Linux 7.3's report; `entries` counts those of the diary."
    outside = {error.id for error in OUTSIDE}
    known = [error for error in BY_ID.values() if error.id not in outside]
    for category in dict.fromkeys(error.category for error in known):
        yield f"## {escape(category)}"
        yield _classes(export, (error.id for error in known if error.category == category))
    yield "## No verdict of the verifier"
    yield _classes(export, (error.id for error in OUTSIDE))


def _classes(export: Export, ids: Iterable[str]) -> str:
    rows = []
    for class_id in ids:
        found = [entry for entry in export.entries if entry.class_id == class_id]
        rows.append(
            (
                link(escape(class_id), f"classes/{class_id}.md"),
                escape(BY_ID[class_id].title),
                str(len(found)),
                code(found[0].message) if found else "",
            )
        )
    return table(("class", "what it is", "entries", "such as"), rows)


def by_kernel(export: Export) -> Iterator[str]:
    """Yield the index of kernels."""
    yield "# Verifier errors by kernel"
    yield from _grouped(export.entries, lambda entry: entry.kernels)


def by_program(export: Export) -> Iterator[str]:
    """Yield the index of programs: our own one by one, lessons together."""
    yield "# Verifier errors by program"
    yield from _grouped(export.met, lambda entry: (entry.program,))
    if export.lessons:
        yield "## Programs of lessons"
        yield entry_list(sorted(export.lessons, key=lambda entry: entry.program))


def _grouped(
    entries: Iterable[Exported], group: Callable[[Exported], Iterable[str]]
) -> Iterator[str]:
    groups: dict[str, list[Exported]] = {}
    for entry in entries:
        for name in group(entry):
            groups.setdefault(name, []).append(entry)
    for name in sorted(groups):
        yield f"## {escape(name)}"
        yield entry_list(groups[name])
