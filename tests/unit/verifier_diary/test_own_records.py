from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from verifier_diary import journal
from verifier_diary.model import Attempt, Program
from verifier_diary.origin import Origin, Toolchain
from verifier_diary.own_records import OwnRecord, OwnRecords

CODE = "c" * 64


def attempt(loader: str = "lab", pid: int = 7, code: str | None = CODE, **more: bool) -> Attempt:
    return Attempt(
        Program("a_function_with_a_long_name" if loader == "lab" else "a_function_with"),
        accepted=more.get("accepted", False),
        instructions_sha256=code,
        origin=Origin(pid=pid),
        toolchain=Toolchain(loader=loader),
    )


def test_what_the_loader_wrote_is_claimed_once(tmp_path: Path) -> None:
    own = OwnRecords(tmp_path)
    journal.append(attempt(), tmp_path)
    assert own.claim(attempt("recorder"))
    assert not own.claim(attempt("recorder"))


def test_what_was_there_before_is_nobodys(tmp_path: Path) -> None:
    journal.append(attempt(), tmp_path)
    assert not OwnRecords(tmp_path).claim(attempt("recorder"))


def test_a_repeat_counts_like_a_whole_record(tmp_path: Path) -> None:
    journal.append(attempt(), tmp_path)
    own = OwnRecords(tmp_path)
    journal.append(replace(attempt(), id="another"), tmp_path)
    assert own.claim(attempt("recorder"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(attempt("recorder", pid=8), id="another process"),
        pytest.param(attempt("recorder", code="d" * 64), id="other instructions"),
    ],
)
def test_another_load_is_not_claimed(tmp_path: Path, other: Attempt) -> None:
    own = OwnRecords(tmp_path)
    journal.append(attempt(), tmp_path)
    assert not own.claim(other)


def test_without_a_hash_the_shortened_name_tells(tmp_path: Path) -> None:
    own = OwnRecords(tmp_path)
    journal.append(attempt(), tmp_path)
    assert own.claim(attempt("recorder", code=None))


def test_accepted_loads_are_not_mistaken_for_rejected_ones(tmp_path: Path) -> None:
    own = OwnRecords(tmp_path)
    journal.append(attempt(accepted=True), tmp_path)
    assert not own.claim(attempt("recorder"))


def test_the_recorders_own_lines_are_not_claimed(tmp_path: Path) -> None:
    own = OwnRecords(tmp_path)
    mine = attempt("recorder")
    own.ours(mine)
    journal.append(mine, tmp_path)
    assert not own.claim(replace(mine, id="next"))


def test_a_load_of_another_journal_can_be_told(tmp_path: Path) -> None:
    own = OwnRecords(tmp_path)
    own.note(OwnRecord(7, "f", CODE, accepted=False))
    assert own.claim(attempt("recorder"))


def test_lines_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    own = OwnRecords(tmp_path)
    (tmp_path / "2026-01-01.jsonl").write_text('{"schema":1,"id":"x","no":1}\nnot json\n{"half')
    assert not own.claim(attempt("recorder"))
