"""One exported entry as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from verifier_diary.classes import BY_ID
from verifier_diary.exported import Exported
from verifier_diary.markdown import block, code, escape, link, table
from verifier_diary.views import REFUSED_BY


def entry_title(entry: Exported) -> str:
    """Return what a search should find: the message."""
    return entry.message or f"{entry.program}: {entry.record['title']}"


def entry_page(entry: Exported) -> Iterator[str]:
    """Yield the page, in the order of Linux 7.3's report."""
    record = entry.record
    yield f"# {escape(entry.program)}: {escape(record['title'])}"
    yield block([entry.message or "(no message)"])
    yield table(("", ""), _facts(entry))
    yield "## Reason"
    yield escape(record["reason"])
    yield from _at(entry)
    if record["registers"]:
        yield "## Registers"
        yield table(("register", "holds", "as printed"), _registers(record["registers"]))
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
    yield from _cure(entry)
    if any(record["log"]):
        yield "## Log"
        yield block(record["log"])


def _facts(entry: Exported) -> Iterator[tuple[str, str]]:
    record = entry.record
    page = f"../classes/{entry.class_id}.md"
    yield "class", link(escape(entry.class_id), page) if entry.class_id in BY_ID else entry.class_id
    if record["category"]:
        yield "category of Linux 7.3", escape(record["category"])
    yield "refused by", REFUSED_BY[record["layer"]]
    names = (record["program"], record["section"], record["object"])
    yield "program", ", ".join(code(name) for name in names if name)
    yield "kernel", ", ".join(code(kernel) for kernel in entry.kernels)
    yield "compiler", code(record["toolchain"]["clang"] or "") or "unknown"
    yield "first seen", f"{record['first_seen'][:10]}{_by(record['first_seen_by'])}"
    yield "seen", "once" if record["sightings"] == 1 else f"{record['sightings']} times"
    if entry.expected:
        yield "expected", "yes: it is a lesson, and wanted to be refused"
    if record["truncated"]:
        yield "log", f"its {record['truncated']} is missing"


def _by(who: dict[str, Any]) -> str:
    name = who["test"] or who["command"]
    dirty = ", edited" if who["dirty"] else ""
    revision = f" at {code(who['revision'][:12])}{dirty}" if who["revision"] else ""
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


def _registers(registers: list[dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    for register in registers:
        yield register["name"], escape(register["in_words"]), code(register["printed"])


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


def _cure(entry: Exported) -> Iterator[str]:
    cure = entry.cure
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
