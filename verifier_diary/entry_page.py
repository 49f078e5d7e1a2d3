"""One exported entry as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from verifier_diary.exported import Exported
from verifier_diary.markdown import block, code, escape, table
from verifier_diary.views import REFUSED_BY


def entry_page(entry: Exported) -> str:
    """Return the page, in the order of Linux 7.3's report."""
    return "\n\n".join(_parts(entry))


def _parts(entry: Exported) -> Iterator[str]:
    record = entry.record
    yield f"# {escape(entry.program)}: {escape(record['title'])}"
    yield table(("", ""), _facts(entry))
    yield block([record["message"] or "(no message)"])
    yield "## Reason"
    yield escape(record["reason"])
    yield from _at(entry)
    if record["path"]:
        yield "## Causal path"
        yield block(_steps(record["path"]))
    if record["hotspots"]:
        yield "## Hottest lines"
        yield block(_hotspots(record["hotspots"]))
    yield "## Usual cause"
    yield escape(record["cause"])
    yield "## Suggestion"
    yield escape(record["suggestion"])
    yield from _cure(record["cure"])
    if any(record["log"]):
        yield "## Log"
        yield block(record["log"])


def _facts(entry: Exported) -> Iterator[tuple[str, str]]:
    record = entry.record
    yield "class", f"[{escape(entry.class_id)}](../classes/{entry.class_id}.md)"
    yield "refused by", REFUSED_BY[record["layer"]]
    names = (record["program"], record["section"], record["object"])
    yield "program", ", ".join(code(name) for name in names if name)
    yield "kernel", ", ".join(code(kernel) for kernel in entry.kernels)
    yield "compiler", code(record["toolchain"]["clang"] or "") or "unknown"
    yield "first seen", f"{record['first_seen'][:10]}{_by(record['first_seen_by'])}"
    yield "seen", "once" if record["sightings"] == 1 else f"{record['sightings']} times"
    if record["expected"]:
        yield "expected", "yes: a lesson or a test wants it refused"
    if record["truncated"]:
        yield "log", f"its {record['truncated']} is missing"


def _by(who: dict[str, Any]) -> str:
    name = who["test"] or who["command"]
    revision = f" at {code(who['revision'][:12])}" if who["revision"] else ""
    return f", by {code(name)}{revision}" if name else ""


def _at(entry: Exported) -> Iterator[str]:
    record = entry.record
    lines = list(_marked(record["context"]))
    if record["instruction"] is not None:
        lines.append(f"instruction {record['instruction']}: {record['disassembly'] or ''}".rstrip())
    if lines:
        yield "## At"
        if entry.place:
            yield f"{code(entry.place)}:"
        yield block(lines)


def _marked(context: list[dict[str, Any]]) -> Iterator[str]:
    digits = len(str(max((line["number"] for line in context), default=0)))
    for line in context:
        number = f"{line['number']:>{digits}} | " if line["number"] else ""
        yield f"{'>' if line['marked'] else ' '} {number}{line['text']}"


def _steps(path: list[dict[str, Any]]) -> Iterator[str]:
    place = None
    for step in path:
        if "skipped" in step:
            count, times = step["skipped"], step["iterations"]
            yield f"    ... {f'{times} iterations' if times else f'{count} steps'} left out ..."
            continue
        here = (step["source_line"], step["source_file"], step["source_line_number"])
        if here != place and here[0]:
            yield f"{here[0]}  ({here[1]}:{here[2]})" if here[1] else here[0]
        place = here
        yield f"  {step['instruction']:>5}: {step['text']}"


def _hotspots(spots: list[dict[str, Any]]) -> Iterator[str]:
    for spot in spots:
        file, number = spot["source_file"], spot["source_line_number"]
        text = f"{file}:{number}  {spot['source_line']}" if file else spot["source_line"]
        yield f"{spot['share']:4.0%}  {spot['instructions']:,} instructions  {text}"


def _cure(cure: dict[str, Any] | None) -> Iterator[str]:
    if cure is None:
        return
    yield "## Cure"
    tries = "1 rejected try" if cure["tries"] == 1 else f"{cure['tries']} rejected tries"
    revision = f" at {code(cure['revision'][:12])}" if cure["revision"] else ""
    said = f"Accepted on {cure['time'][:10]}{revision}, after {tries}"
    _, after = cure["instructions"]
    yield f"{said}: {after:,} instructions processed." if after is not None else f"{said}."
    if cure["settings"]:
        yield block(cure["settings"])
    if cure["diff"]:
        yield block(cure["diff"], "diff")
