"""What makes two rejections the same one: class, message, section and source line."""

from __future__ import annotations

import re

from verifier_diary.finding import Finding
from verifier_diary.model import Program, sha256_of

LENGTH = 12  # hexadecimal digits of an entry's id; any part of its start that is unique will do

# Offsets, sizes, ids, registers and instructions move with every edit of the program.
_NUMBER = re.compile(r"<address>|\b0x[0-9a-f]+\b|(?<![A-Za-z_])-?\d+(?![A-Za-z_])")
_REGISTER = re.compile(r"\b([Rr])(?:1[01]|\d)\b")
_NAMED = re.compile(r"\b(insn|off|size|type|id|arg#|fp|func#|subprog#|frame)(\s*=?\s*)-?\d+\b")
_SPACE = re.compile(r"\s+")


def normalise(message: str) -> str:
    """Return a message without what differs from one load of a program to the next."""
    text = _REGISTER.sub(r"\1#", message)
    text = _NAMED.sub(r"\1\2#", text)
    return _SPACE.sub(" ", _NUMBER.sub("#", text)).strip()


def fingerprint(program: Program, finding: Finding) -> str:
    """Return the id of the entry that a rejection belongs to.

    Without a source line, the program's name and the instruction stand in for it. A recorded
    stranger has no section: its name tells it from others that fail at a line that reads the same.
    """
    section = (program.section or program.function).removeprefix("?")
    place = _SPACE.sub(" ", finding.source_line or "").strip()
    if not place:
        place = f"{program.function}\0{normalise(finding.operation)}"
    parts = (finding.class_id, normalise(finding.message), section, place)
    return sha256_of("\0".join(parts))[:LENGTH]
