"""How a watched load is printed: one line for people, or one record for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from verifier_diary.recorded import Recorded
from verifier_diary.watching import Watching

SCHEMA = 1
HEADER = f"{'TIME':12}  {'PID':>7}  {'COMMAND':15}  {'PROGRAM':15}  {'ERROR':10}  MESSAGE"


def line(one: Recorded) -> str:
    """Return a load as a line: time of day, pid, command, program, error, message."""
    attempt = one.attempt
    when = datetime.fromisoformat(attempt.time).astimezone()
    clock = f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}"
    name = attempt.program.function or f"({attempt.program.type})"
    error = one.error or "-"
    return (
        f"{clock}  {attempt.origin.pid:>7}  {_plain(attempt.origin.comm or ''):15}  "
        f"{_plain(name):15}  {error:10}  {_plain(one.message)}"
    )


def head(watching: Watching, command: Sequence[str]) -> str:
    """Return the first record: what this is."""
    return _compact(
        {
            "schema": SCHEMA,
            "kernel": platform.release(),
            "command": list(command) or None,
            "journal": str(watching.folder),
        }
    )


def record(one: Recorded) -> str:
    """Return a load as a record."""
    return _compact(one.to_json())


def account(watching: Watching) -> str:
    """Return the last record: how much was seen, and how much was lost."""
    return _compact({"outcome": "summary", **watching.account()})


# Names and messages are a stranger's: no escape sequences to the terminal.
def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
