"""Read what a guest wrote: start mark, records, exit code; whatever is missing is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.matrix.guest.reporting import ATTEMPT, KERNEL, MARK, TEST, decode


@dataclass(frozen=True)
class Results:
    """All that arrived; `exit_code` is None where the guest did not come to its end."""

    started: bool = False
    kernel: dict[str, Any] | None = None
    attempts: dict[int, dict[str, Any]] = field(default_factory=dict)  # by the program's number
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)  # by name
    exit_code: int | None = None
    damaged: tuple[str, ...] = ()  # why, for each line that could not be read


def read(path: Path) -> Results:
    """Read a results file; one that is not there holds nothing."""
    try:
        text = path.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        text = ""
    return parse(text)


def parse(text: str) -> Results:
    """Read results; what comes before the start mark is none of them."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    start = f"{MARK} start"
    if start not in lines:
        return Results()
    kernel, attempts, tests, exit_code = None, {}, {}, None
    damaged: list[str] = []
    for line in lines[lines.index(start) + 1 :]:
        if not line:
            continue
        if line.startswith(f"{MARK} exit "):
            exit_code = _number(line, damaged)
            continue
        try:
            kind, record = decode(line)
        except ValueError as error:
            damaged.append(str(error))
            continue
        if kind == KERNEL:
            kernel = record
        elif kind == ATTEMPT:
            attempts[record["program"]] = record
        elif kind == TEST:
            tests[record["test"]] = record
    return Results(True, kernel, attempts, tests, exit_code, tuple(damaged))


def count(path: Path) -> int:
    """Return how many lines have arrived so far."""
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def _number(line: str, damaged: list[str]) -> int | None:
    text = line.rpartition(" ")[2]
    if text.isdigit():
        return int(text)
    damaged.append(f"no exit code: {text[:20]!r}")
    return None
