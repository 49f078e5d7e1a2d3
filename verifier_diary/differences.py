"""What is different between two attempts: their logs, numbers and addresses apart, and sources."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verifier_diary.attempts import attempt
from verifier_diary.cures import source_diff
from verifier_diary.entries import entry
from verifier_diary.fingerprint import normalise
from verifier_diary.model import Attempt
from verifier_diary.store import Store

LONGEST = 4000  # lines of a log that are compared: those nearest to the verdict


@dataclass(frozen=True, slots=True)
class Difference:
    """Two attempts side by side; '' where they do not differ."""

    before: Attempt
    after: Attempt
    log: str  # unified, as printed; lines that differ in numbers only count as equal
    source: str  # unified

    @property
    def same(self) -> bool:
        """Say whether nothing differs."""
        return not self.log and not self.source

    def parts(self) -> tuple[tuple[str, str], ...]:
        """Return what differs, with its name."""
        return ("sources", self.source), ("logs", self.log)

    def record(self) -> dict[str, Any]:
        """Return it as the command prints it for programs."""
        return {
            "first": self.before.id,
            "second": self.after.id,
            "same": self.same,
            "accepted": [self.before.accepted, self.after.accepted],
            "instructions": [self.before.stats.instructions, self.after.stats.instructions],
            "source": self.source,
            "log": self.log,
        }


def difference(store: Store, first: str, second: str) -> Difference:
    """Compare two entries, by their last attempts, or two attempts; both by id."""
    before, after = find_attempt(store, first), find_attempt(store, second)
    return Difference(
        before,
        after,
        "\n".join(log_diff(before.log, after.log)),
        source_diff(before.sources, after.sources),
    )


def find_attempt(store: Store, wanted: str) -> Attempt:
    """Return an attempt by its id, or the last of an entry; raises NoSuchEntry."""
    found = attempt(store, wanted) or attempt(
        store, entry(store, wanted, expected=False).last_attempt
    )
    assert found is not None
    return found


def log_diff(before: str, after: str, context: int = 3) -> Iterator[str]:
    """Yield a unified diff of two logs, blind to numbers, registers and addresses."""
    old, new = before.splitlines()[-LONGEST:], after.splitlines()[-LONGEST:]
    matcher = difflib.SequenceMatcher(
        None, [normalise(line) for line in old], [normalise(line) for line in new]
    )
    for group in matcher.get_grouped_opcodes(context):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield f"@@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@"
        for kind, a, b, c, d in group:
            if kind == "equal":
                yield from (f" {line}" for line in old[a:b])
                continue
            yield from (f"-{line}" for line in old[a:b])
            yield from (f"+{line}" for line in new[c:d])
