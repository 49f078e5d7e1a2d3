"""The development log: rejections, cures and what programs cost the verifier, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from verifier_diary.exported import Export, Exported, ProgramSize
from verifier_diary.markdown import code, escape, link


@dataclass(frozen=True, slots=True, order=True)
class _Event:
    time: str  # to the second
    text: str


def development(export: Export) -> Iterator[str]:
    """Yield the log, a section a day."""
    yield "# Development log"
    yield (
        "What the verifier, libbpf and clang refused while this project was made, when it was "
        "cured, and what our programs cost the verifier whenever that changed. Times are UTC; "
        "lessons are left out."
    )
    events = sorted((*_rejections(export), *_cures(export), *_sizes(export)))
    for day in dict.fromkeys(event.time[:10] for event in events):
        yield f"## {day}"
        lines = (f"- {e.time[11:16]} {e.text}" for e in events if e.time[:10] == day)
        yield "\n".join(lines)


def _rejections(export: Export) -> Iterator[_Event]:
    for entry in export.met:
        record = entry.record
        place = f" at {code(entry.place)}" if entry.place else ""
        message = link(code(entry.message) or "no message", f"entries/{entry.id}.md")
        revision = _revision(record["first_seen_by"]["revision"])
        often = f"; {record['sightings']} times in all" if record["sightings"] > 1 else ""
        yield _Event(
            record["first_seen"][:19],
            f"**rejected** {code(entry.program)}{place}{revision}: {message} "
            f"({link(escape(entry.class_id), f'classes/{entry.class_id}.md')}{often})",
        )


def _cures(export: Export) -> Iterator[_Event]:
    for entry in export.met:
        cure = entry.cure
        if cure is None:
            continue
        target = f"entries/{entry.id}.md"
        cured = link(f"{code(entry.class_id)} of {code(entry.program)}", target)
        tries = "1 rejected try" if cure["tries"] == 1 else f"{cure['tries']} rejected tries"
        after = f"after {tries} and {spent(entry)}"
        changed = _changed(cure["diff"])
        text = f"**cured** {cured}{_revision(cure['revision'])}, {after}{changed}"
        yield _Event(cure["time"][:19], text)


def spent(entry: Exported) -> str:
    """Return the time between the first rejection and its cure, in words."""
    start, end = entry.record["first_seen"], (entry.cure or {})["time"]
    seconds = round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}{'s' * (seconds >= 2 * size)}"
    return f"{seconds} second{'s' * (seconds != 1)}"


def _changed(diff: list[str]) -> str:
    files = [line[4:] for line in diff if line.startswith("+++ ")]
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in diff)
    removed = sum(line.startswith("-") and not line.startswith("--- ") for line in diff)
    if not files:
        return ""
    return f": +{added} -{removed} lines in {', '.join(map(code, files))}"


# Programs of one object that appear together share a line.
def _sizes(export: Export) -> Iterator[_Event]:
    before: dict[tuple[str, str | None], ProgramSize] = {}
    lines: dict[tuple[str, str], list[str]] = {}
    for size in export.programs:
        old = before.get((size.program, size.kernel))
        before[size.program, size.kernel] = size
        _, _, function = size.program.partition(":")
        was = f" (before: {old.instructions:,})" if old else ""
        key = size.time[:16], size.program if old else size.program.partition(":")[0]
        name = f"{code(function)} " if function and not old else ""
        lines.setdefault(key, []).append(f"{name}{size.instructions:,}{was}")
    for (minute, name), costs in lines.items():
        yield _Event(
            f"{minute}:59", f"**accepted** {code(name)}, instructions processed: {', '.join(costs)}"
        )


def _revision(revision: str | None) -> str:
    return f", revision {code(revision[:12])}" if revision else ""
