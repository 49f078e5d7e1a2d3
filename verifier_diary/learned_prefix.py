"""Take off a prefix that no list knows: what stands before most of a log's own lines."""

from __future__ import annotations

import re
from collections import Counter

_LONGEST = 200
_OWN = r"(?:(?:0|[1-9]\d*): (?:\([0-9a-f]{2}\) |R\d|<invalid )|func#\d+ @\d|processed \d+ insns \()"
_STARTS = re.compile(rf"\s*{_OWN}")
_BEHIND = re.compile(rf"((?=\s*\S).{{0,{_LONGEST}}}?[^\w(#])(?={_OWN})")
# What the verifier itself, or a loader, puts before an instruction.
_SAYS_MORE = re.compile(r"before |regs=|load program|goto |omitted|[Vv]erifier |too large")
_FEWEST = 2


def without_learned_prefix(lines: list[str]) -> list[str]:
    """Return the lines without the prefix that most of a log's own lines have; digits may differ.

    Nothing is taken off where most of them stand at the start of their line.
    """
    bare = sum(bool(_STARTS.match(line)) for line in lines)
    candidates = [line for line in lines if _may_be_own(line)]
    if len(candidates) <= bare * 2:
        return lines
    found = [
        match[1]
        for line in candidates
        if (match := _BEHIND.match(line)) and match[1].strip() and not _SAYS_MORE.search(match[1])
    ]
    if len(found) <= bare:
        return lines
    (shape, count), *_ = Counter(map(_shape, found)).most_common(1)
    prefix = re.compile(rf"{shape}|{shape.rstrip()}$")
    if count * 2 < len(found) or (count < _FEWEST and not _everywhere(prefix, lines)):
        return lines
    return [prefix.sub("", line, count=1) if prefix.match(line) else line for line in lines]


def _may_be_own(line: str) -> bool:
    if "before " in line:
        return False
    return any(sign in line for sign in (": (", ": R", "func#", "<invalid ", " insns ("))


def _everywhere(prefix: re.Pattern[str], lines: list[str]) -> bool:
    said = [line for line in lines if line.strip()]
    return len(said) > 1 and all(map(prefix.match, said))


# A pattern for all prefixes that differ in their numbers only.
def _shape(prefix: str) -> str:
    return re.sub(r"[0-9]+", r"[0-9]+", re.escape(prefix)).replace(r"\ ", " ")
