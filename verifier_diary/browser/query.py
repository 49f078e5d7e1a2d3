"""What the list shows: the words that were typed and a filter; nothing here draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from verifier_diary.entries import Entry, Filter, count, entries
from verifier_diary.search import search
from verifier_diary.store import Store

_CURED = {None: False, False: True, True: None}  # any, open, cured
_EXPECTED = {False: None, None: True, True: False}  # hidden, among the others, alone


@dataclass(frozen=True, slots=True)
class Query:
    """Words and a filter."""

    text: str = ""
    wanted: Filter = field(default_factory=Filter)

    def read(self, store: Store, limit: int) -> list[Entry]:
        """Return the first entries: the best for the words, or without words the newest."""
        if self.text.strip():
            return search(store, self.text, self.wanted, limit)
        return entries(store, self.wanted, limit)

    def next_state(self) -> Query:
        """Go from any entry to the open ones, to the cured ones, and back."""
        return replace(self, wanted=replace(self.wanted, cured=_CURED[self.wanted.cured]))

    def next_expected(self) -> Query:
        """Go from hiding what tests and lessons want, to all, to these alone, and back."""
        following = _EXPECTED[self.wanted.expected]
        return replace(self, wanted=replace(self.wanted, expected=following))

    def summary(self, store: Store, shown: int, limit: int) -> str:
        """Say in one line how many entries these are, and what keeps others out."""
        if self.text.strip():
            found = f"{shown:,}{'+' * (shown >= limit)} found"
        else:
            found = _entries(count(store, self.wanted))
        return "  ".join((found, *self._limits(store)))

    def _limits(self, store: Store) -> Iterator[str]:
        wanted = self.wanted
        names = (
            ("class", wanted.class_id),
            ("kernel", wanted.kernel),
            ("program", wanted.program),
            ("refused by", wanted.layer),
        )
        yield from (f"{name}: {value}" for name, value in names if value)
        if wanted.cured is not None:
            yield "cured only" if wanted.cured else "open only"
        if wanted.expected:
            yield "expected only"
        elif wanted.expected is False:
            if self.text.strip():
                yield "expected hidden"
                return
            hidden = count(store, replace(wanted, expected=True))
            yield from [f"{hidden:,} expected hidden"] if hidden else []


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"
