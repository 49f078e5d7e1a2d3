"""Find in a kernel's console what must not be there."""

from __future__ import annotations

import re

_STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[[^\]]*\])?\s*")
_ALARM = re.compile(
    r"WARNING: (?:CPU: \d+ |\S+:\d+ at )|\bBUG: |kernel BUG at |\bOops\b|Kernel panic|"
    r"general protection fault|invalid opcode: |divide error: |Unable to handle kernel"
)


def alarms(console: str) -> tuple[str, ...]:
    """Return the lines by which a kernel says that it is unwell, without time stamps."""
    lines = (_STAMP.sub("", line.strip()) for line in console.splitlines())
    return tuple(line for line in lines if _ALARM.search(line))
