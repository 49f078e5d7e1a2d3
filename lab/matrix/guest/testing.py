"""Run one test of the plan: by its kind, and with what this kernel can take."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.libbpf import probe

PASSED, FAILED, ERROR = "passed", "failed", "error"
_EXAMPLES = 5


class Failed(Exception):
    """Something is not as it must be."""


@dataclass
class Outcome:
    """How much a test compared, and what differed; nothing compared is a failure."""

    packets: int = 0
    bytes: int = 0
    differences: int = 0
    examples: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def differ(self, what: str, count: int = 1) -> None:
        """Count differences."""
        self.differences += count
        if len(self.examples) < _EXAMPLES:
            self.examples.append(what)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Count a difference where two values are not equal."""
        if found != wanted:
            self.differ(f"{what} is {found}, not {wanted}")

    @property
    def verdict(self) -> str:
        """Return `passed` or `failed`."""
        return PASSED if self.packets and self.bytes and not self.differences else FAILED

    @property
    def message(self) -> str | None:
        """Return why it failed."""
        if self.verdict == PASSED:
            return None
        if self.differences:
            return f"{self.differences} differences: {'; '.join(self.examples)}"
        return "nothing was compared"


def run(folder: Path, test: dict[str, Any]) -> dict[str, Any]:
    """Return the record of one test; nothing is raised."""
    record = {"test": test["name"], "packets": 0, "bytes": 0, "facts": {}}
    try:
        outcome = _kinds()[test["kind"]](folder, _fitting(test))
    except Failed as failure:
        return {**record, "verdict": FAILED, "message": str(failure)}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error} ({where.name})"
        return {**record, "verdict": ERROR, "message": said}
    return {
        **record,
        "verdict": outcome.verdict,
        "message": outcome.message,
        "packets": outcome.packets,
        "bytes": outcome.bytes,
        "facts": outcome.facts,
    }


# Before Linux 5.18 test runs, and programs, know only frames that fit one page.
def _fitting(test: dict[str, Any]) -> dict[str, Any]:
    frames = "whole" if probe.xdp_frags() else "short"
    stored = test.get("stored", {}).get(frames)
    return {**test, "frames": frames, "file": stored}


def _kinds() -> dict[str, Callable[[Path, dict[str, Any]], Outcome]]:
    from lab.matrix.guest import parse_test, twin_test, wire_tests

    return {
        "parse": parse_test.run,
        "twin": twin_test.run,
        "attach": wire_tests.attach,
        "jumbo": wire_tests.jumbo,
        "trip": wire_tests.trip,
    }
