"""Statistics over the exported entries as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from statistics import median

from verifier_diary.classes import BY_ID, CLASSES
from verifier_diary.development_page import spent
from verifier_diary.exported import Export, Exported, ProgramSize
from verifier_diary.markdown import code, escape, link, table
from verifier_diary.views import REFUSED_BY


def numbers(export: Export) -> Iterator[str]:
    """Yield what was counted; lessons have a section of their own."""
    met = export.met
    yield "# Statistics of the diary"
    seen = sum(entry.record["sightings"] for entry in met)
    cured = sum(entry.cure is not None for entry in met)
    yield (
        f"Different rejections that were met while this project was made: {len(met)}, {seen} times "
        f"in all. Cured by the next accepted version of the same program: {cured}."
    )
    if met:
        yield from _most(met)
        yield from _refused_by(met)
        yield from _tries(met)
        yield from _weeks(met)
    if export.programs:
        yield from _programs(export.programs)
    if export.lessons:
        yield from _lessons(export.lessons)


def _most(met: list[Exported]) -> Iterator[str]:
    yield "## What rejected us most"
    groups = _grouped(met, "class")
    rows = [
        (
            link(escape(class_id), f"classes/{class_id}.md"),
            escape(BY_ID[class_id].title) if class_id in BY_ID else "",
            str(sum(entry.record["sightings"] for entry in found)),
            str(len(found)),
            str(sum(entry.cure is not None for entry in found)),
        )
        for class_id, found in groups
    ]
    yield table(("class", "what it is", "times", "entries", "cured"), rows)


def _refused_by(met: list[Exported]) -> Iterator[str]:
    yield "## Who refused"
    rows = [
        (REFUSED_BY[layer], str(sum(e.record["sightings"] for e in found)), str(len(found)))
        for layer, found in _grouped(met, "layer")
    ]
    yield table(("refused by", "times", "entries"), rows)


# The most seen first.
def _grouped(met: list[Exported], name: str) -> list[tuple[str, list[Exported]]]:
    groups: dict[str, list[Exported]] = {}
    for entry in met:
        groups.setdefault(entry.record[name], []).append(entry)
    return sorted(
        groups.items(), key=lambda item: (-sum(e.record["sightings"] for e in item[1]), item[0])
    )


def _tries(met: list[Exported]) -> Iterator[str]:
    cured = [(entry, entry.cure) for entry in met if entry.cure]
    if not cured:
        return
    yield "## Tries per cure"
    tries = [cure["tries"] for _, cure in cured]
    yield f"Rejected tries until a cure: {median(tries):g} in the median, {max(tries)} at most."
    rows = []
    for entry, cure in sorted(cured, key=lambda pair: (-pair[1]["tries"], pair[0].id)):
        before, after = cure["instructions"]
        cost = "unknown" if after is None else f"{before or 0:,} to {after:,}"
        message = link(code(entry.message) or "no message", f"entries/{entry.id}.md")
        rows.append((code(entry.program), message, str(cure["tries"]), spent(entry), cost))
    yield table(("program", "message", "tries", "time", "instructions processed"), rows)


def _weeks(met: list[Exported]) -> Iterator[str]:
    yield "## Week by week"
    first: dict[str, int] = {}
    cures: dict[str, int] = {}
    for entry in met:
        week = _week(entry.record["first_seen"])
        first[week] = first.get(week, 0) + 1
        if entry.cure:
            week = _week(entry.cure["time"])
            cures[week] = cures.get(week, 0) + 1
    rows = [
        (week, str(first.get(week, 0)), str(cures.get(week, 0))) for week in sorted(first | cures)
    ]
    yield table(("week", "new rejections", "cures"), rows)


def _week(time: str) -> str:
    year, week, _ = datetime.fromisoformat(time[:10]).isocalendar()
    return f"{year}-W{week:02}"


def _programs(sizes: list[ProgramSize]) -> Iterator[str]:
    yield "## What our programs cost the verifier"
    yield (
        "Instructions that the verifier processed until it accepted a program: when it was first "
        "loaded, now, and at most. What is left of the kernel's limit decides how much a program "
        "may still grow."
    )
    groups: dict[tuple[str, str], list[ProgramSize]] = {}
    for size in sizes:
        groups.setdefault((size.program, size.kernel or "unknown"), []).append(size)
    rows = []
    dearest = sorted(groups.items(), key=lambda item: (-item[1][-1].instructions, item[0]))
    for (program, kernel), found in dearest:
        last = found[-1]
        left = f"{1 - last.instructions / last.limit:.1%}" if last.limit else "unknown"
        most = max(size.instructions for size in found)
        costs = (f"{n:,}" for n in (found[0].instructions, last.instructions, most))
        rows.append((code(program), escape(kernel), *costs, left, last.time[:10]))
    heads = ("program", "kernel", "first", "now", "most", "limit left", "since")
    yield table(heads, rows)


def _lessons(lessons: list[Exported]) -> Iterator[str]:
    yield "## Lessons by kernel"
    taught: dict[str, set[str]] = {}
    for entry in lessons:
        for kernel in entry.kernels:
            taught.setdefault(kernel, set()).add(entry.class_id)
    rows = [
        (escape(kernel), str(len(classes)), ", ".join(map(escape, _without(classes))))
        for kernel, classes in sorted(taught.items())
    ]
    yield table(("kernel", "classes taught", "classes without a lesson there"), rows)


def _without(taught: set[str]) -> list[str]:
    return [error.id for error in CLASSES if error.id not in taught]
