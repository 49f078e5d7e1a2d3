from __future__ import annotations

import pytest

from tests.diary import LOG, accepted, filed, rejected
from verifier_diary.differences import difference, log_diff
from verifier_diary.store import Store
from verifier_diary.store_errors import NoSuchEntry


def test_numbers_and_addresses_are_no_difference() -> None:
    before = "1: (18) r1 = 0xffff8881048d0200\nR1 off=4\n"
    after = "7: (18) r1 = 0xffff888104999999\nR2 off=12\n"
    assert list(log_diff(before, after)) == []


def test_a_new_line_is_shown_with_its_neighbours() -> None:
    assert list(log_diff("a\nb\n", "a\nnew 1\nb\n")) == [
        "@@ -1,2 +1,3 @@",
        " a",
        "+new 1",
        " b",
    ]


def test_entries_are_compared_by_their_last_attempts(store: Store) -> None:
    bad, good = rejected(), accepted()
    (found,) = filed(store, bad, good)
    told = difference(store, found.id[:6], good.id)
    assert (told.before.id, told.after.id) == (bad.id, good.id)
    assert "+\tif (data + 1 > end)" in told.source
    assert "-R1 offset is outside of the packet" in told.log
    assert told.record()["instructions"] == [2, 9]


def test_an_attempt_does_not_differ_from_itself(store: Store) -> None:
    filed(store, bad := rejected())
    assert difference(store, bad.id, bad.id).same


def test_an_unknown_id_is_named(store: Store) -> None:
    filed(store, bad := rejected())
    with pytest.raises(NoSuchEntry, match="no entry 0123"):
        difference(store, bad.id, "0123")


def test_long_logs_are_compared_at_their_ends() -> None:
    lines = "\n".join(f"line {chr(97 + n % 26)}" for n in range(10_000))
    assert list(log_diff(lines, lines + LOG))[-1].startswith("+processed 2 insns")
