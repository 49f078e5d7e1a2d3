"""Say in words what is different between two verifications of the same file."""

from __future__ import annotations

from collections.abc import Iterable

from lab.verify.check import Verdict


def changes(before: Iterable[Verdict] | None, after: Iterable[Verdict]) -> dict[str, str]:
    """Return for each program what happened to it; `before` is None where nothing was."""
    later = _by_name(after)
    if before is None:
        return {name: verdict_in_words(verdict) for name, verdict in later.items()}
    earlier = _by_name(before)
    told = {name: change(earlier.get(name), verdict) for name, verdict in later.items()}
    return told | {name: "is not there any more" for name in earlier if name not in later}


def change(before: Verdict | None, after: Verdict) -> str:
    """Return what happened to one program; `before` is None if it is new."""
    if before is None:
        return f"new: {verdict_in_words(after)}"
    if before.accepted != after.accepted:
        return f"now {verdict_in_words(after)}"
    if after.accepted:
        return _numbers(before, after)
    if before.message == after.message and before.source_line == after.source_line:
        return f"still {verdict_in_words(after)}"
    return f"still rejected, but now: {_why(after)}"


def verdict_in_words(verdict: Verdict) -> str:
    """Return the verdict and what matters most about it."""
    if verdict.accepted:
        return f"accepted: {_count(verdict.instructions)} instructions"
    return f"rejected: {_why(verdict)}"


def _numbers(before: Verdict, after: Verdict) -> str:
    told = [
        f"{_count(old)} -> {_count(new)} {unit}"
        for old, new, unit in (
            (before.instructions, after.instructions, "instructions"),
            (before.states, after.states, "states"),
            (before.stack, after.stack, "bytes of stack"),
        )
        if old != new
    ]
    if told:
        return f"accepted: {', '.join(told)}"
    return f"{verdict_in_words(after)}, as before"


def _why(verdict: Verdict) -> str:
    at = ": ".join(part for part in (verdict.place, verdict.source_line) if part)
    return f"{verdict.message or 'no message'}{f' ({at})' if at else ''}"


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def names(verdicts: Iterable[Verdict]) -> list[str]:
    """Return what to call each program; with its object where a source is compiled per key."""
    found = tuple(verdicts)
    several = len({verdict.object for verdict in found}) > 1
    return [f"{verdict.name} of {verdict.object}" if several else verdict.name for verdict in found]


def _by_name(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    found = tuple(verdicts)
    return dict(zip(names(found), found, strict=True))
