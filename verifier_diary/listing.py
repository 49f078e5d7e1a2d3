"""The diary's list as plain text, without a library: it has to be quick."""

from __future__ import annotations

from collections.abc import Sequence

from verifier_diary.entries import Entry

_HEADS = ("id", "class", "program", "kernel", "seen", "last", "cured", "message and C line")


def listing(entries: Sequence[Entry], width: int | None = None) -> str:
    """Return a line for each entry; `width` cuts them for a terminal."""
    return table(_HEADS, [_cells(entry) for entry in entries], width)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return rows in columns, the last one ragged; long lines are cut at `width`."""
    lines = [tuple(heads), *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads) - 1)]
    texts = ("  ".join([*map(str.ljust, line, widths), line[-1]]).rstrip() for line in lines)
    return "\n".join(_cut(text, width) for text in texts)


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else f"{text[: width - 1]}…"


def _cells(entry: Entry) -> tuple[str, ...]:
    message = entry.message or "(no message)"
    place = f"  [{entry.place}]" if entry.place else ""
    line = f"  {entry.source_line}" if entry.source_line else ""
    return (
        entry.id,
        entry.class_id,
        entry.program or entry.object or "-",
        entry.kernel or "-",
        f"{entry.sightings:,}",
        entry.last_seen[:10],
        state(entry),
        f"{message}{place}{line}",
    )


def state(entry: Entry) -> str:
    """Return `open`, the day of its cure, or `expected`."""
    if entry.expected:
        return "expected"
    return entry.cured_time[:10] if entry.cured_time else "open"


def state_in_words(entry: Entry) -> str:
    """Return `open`, `cured` with the day, or `expected`."""
    word = state(entry)
    return f"cured {word}" if entry.cured_time and not entry.expected else word
