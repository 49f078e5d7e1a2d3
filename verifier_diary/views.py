"""The page of an entry as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from verifier_diary import report
from verifier_diary.cures import Cure
from verifier_diary.entries import Sighting
from verifier_diary.listing import state_in_words
from verifier_diary.logfile import Log
from verifier_diary.page import Page

FOLDED = 12  # lines of the log before the message
SHOWN_SIGHTINGS = 10


def render(page: Page, *, whole_log: bool = False, width: int = report.WIDTH) -> str:
    """Return the page of an entry: diagnosis, cure, sightings, log."""
    return "\n".join(_page(page, whole_log, width))


def _page(page: Page, whole_log: bool, width: int) -> Iterator[str]:
    yield from facts(page)
    yield ""
    yield report.render(page.diagnosis, width=width)
    if page.cure:
        yield from _section("Cure", cure_lines(page.cure))
    yield from _section("Sightings", _sightings(page))
    log = page.attempt.log.rstrip("\n").split("\n") if whole_log else folded_log(page)
    yield from _section("Log", log)


def facts(page: Page) -> Iterator[str]:
    """Yield what identifies an entry, a line each."""
    entry = page.entry
    names = [name for name in (entry.program, entry.section, entry.type) if name]
    yield f"entry {entry.id}  {state_in_words(entry)}, seen {_times(entry.sightings)}"
    if names:
        yield f"program {', '.join(names)}" + (f"  of {entry.object}" if entry.object else "")
    if page.kernels:
        yield f"kernel {', '.join(page.kernels)}"
    yield f"refused by {REFUSED_BY[entry.layer]}"
    if entry.truncated:
        yield f"the {entry.truncated} of the log is missing"
    if page.changed_since:
        first, *others = page.changed_since
        more = f" and {len(others)} more" if others else ""
        yield f"{first}{more}: changed since, or gone; what was loaded then is shown"
    if page.diagnosis.verdict.class_id != entry.class_id:
        yield f"filed as {entry.class_id}, by an older version: `lab diary refresh` files it anew"


REFUSED_BY = {
    "compiler": "clang",
    "libbpf": "libbpf, before the kernel saw it",
    "kernel": "the kernel, before it was verified",
    "verifier": "the verifier",
    "limit": "the verifier, which gave up",
}


def cure_lines(cure: Cure) -> Iterator[str]:
    """Yield how an entry was cured: when, after how many tries, at what price, by what change."""
    revision = f" at {cure.revision[:12]}" if cure.revision else ""
    yield f"accepted {_day(cure.time)}{revision}, after {_tries(cure.tries)}"
    yield from _change("instructions processed, until the rejection and now", cure.instructions)
    yield from _change("states", cure.states)
    yield from cure.settings
    unchanged = "no source changed" if cure.sources_known else "the sources are not known"
    yield from cure.diff.split("\n") if cure.diff else (unchanged,)


def folded_log(page: Page, lines_before: int = FOLDED) -> list[str]:
    """Return the lines of the log around the message, and how many were left out."""
    log, verdict = Log(page.attempt.log or page.attempt.messages), page.diagnosis.verdict
    at = verdict.line if verdict.line is not None else log.end - 1
    near = min(at, log.last_instruction if log.last_instruction is not None else at)
    start, end = max(0, near - lines_before), min(len(log), max(at, log.end) + 1)
    before = [f"... {start:,} lines before this"] if start > 1 else log.raw[:start]
    left = len(log) - end
    after = [f"... {left:,} lines after this"] if left > 1 else []
    return [*before, *log.raw[start:end], *after]


def _change(name: str, numbers: tuple[int | None, int | None]) -> Iterator[str]:
    before, after = numbers
    if before is not None and after is not None:
        yield f"{name}: {before:,} -> {after:,} ({after - before:+,})"
    elif after is not None:
        yield f"{name}: {after:,}"


def _sightings(page: Page) -> Iterator[str]:
    for sighting in page.sightings[:SHOWN_SIGHTINGS]:
        yield "  ".join(filter(None, (_day(sighting.time), sighting.kernel, who(sighting))))
    left = page.entry.sightings - SHOWN_SIGHTINGS
    if left > 0:
        yield f"... {left:,} earlier"


def who(sighting: Sighting) -> str:
    """Return who met an entry: the test, the command with its process, or the pasted file."""
    if sighting.file:
        return f"pasted: {sighting.file}"
    name = sighting.test or _HOME.sub(r"\1", sighting.command or "") or sighting.comm or "unknown"
    process = f" (pid {sighting.pid})" if sighting.pid else ""
    dirty = ", edited" if sighting.dirty else ""
    revision = f" at {sighting.revision[:12]}{dirty}" if sighting.revision else ""
    return f"{name}{process}{revision}"


_HOME = re.compile(r"'(~/[^' ]*)'")  # shlex quotes a tilde


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    yield from (f"  {line}".rstrip() for line in lines)


def _day(time: str) -> str:
    return time[:16].replace("T", " ")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _tries(count: int) -> str:
    return f"{count} rejected {'try' if count == 1 else 'tries'}"
