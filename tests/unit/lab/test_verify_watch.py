from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import BadInput, PermissionProblem
from lab.verify import watch as watching
from lab.verify.check import Verdict, Verification
from lab.verify.watch import Round, absolute, watch
from verifier_diary.model import Attempt, Layer, Program
from verifier_diary.scrub import relative

Outcome = Verification | Exception


def verdict(**more: object) -> Verdict:
    from lab.verify.check import verdict_of

    return replace(verdict_of(Attempt(Program("count", "tiny"), accepted=True)), **more)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.bpf.c"
    path.write_text("one")
    return path


@pytest.fixture
def rounds(source: Path, monkeypatch: pytest.MonkeyPatch):
    """Start to watch: outcomes of the verifications, and what happens at each look."""

    def start(outcomes: list[Outcome], events: list[Callable[[], object] | None]):
        coming, happening = iter(outcomes), iter(events)

        def verify(path: Path, *, full_log: bool) -> Verification:
            outcome = next(coming)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        def sleep(_: float) -> None:
            if event := next(happening):
                event()

        monkeypatch.setattr(watching, "verify", verify)
        return watch(source, sleep=sleep)

    return start


def of(source: Path, *headers: Path, **more: object) -> Verification:
    sources = tuple(relative(path) for path in (source, *headers))
    return Verification(source, (verdict(**more),), "", sources)


def write(path: Path, text: str) -> Callable[[], object]:
    return lambda: path.write_text(text)


def after_first(found: Iterator[Round]) -> Round:
    assert next(found).number == 0
    return next(found)


def test_save_brings_a_round_with_what_changed(source: Path, rounds) -> None:
    outcomes = [of(source, instructions=1204), of(source, instructions=988)]
    this = after_first(rounds(outcomes, [None, write(source, "second"), None]))
    assert (this.number, this.saved) == (1, (source,))
    assert this.changes == {"count": "accepted: 1,204 -> 988 instructions"}


def test_header_is_watched_too(source: Path, rounds) -> None:
    header = source.with_name("tiny.h")
    header.write_text("1")
    this = after_first(rounds([of(source, header)] * 2, [write(header, "22"), None]))
    assert this.saved == (header,)


def test_save_under_the_same_size_is_seen(source: Path, rounds) -> None:
    def save() -> None:
        source.write_text("two")
        os.utime(source, ns=(1, 1))

    assert after_first(rounds([of(source)] * 2, [save, None])).saved == (source,)


def test_save_by_renaming_is_seen(source: Path, rounds) -> None:
    def save() -> None:
        fresh = source.with_suffix(".new")
        fresh.write_text("two")
        fresh.rename(source)

    assert after_first(rounds([of(source)] * 2, [source.unlink, None, save, None])).saved


def test_half_saved_file_is_waited_for(source: Path, rounds) -> None:
    events = [write(source, "h"), write(source, "half"), write(source, "whole file"), None, None]
    found = rounds([of(source)] * 2, events)
    assert after_first(found).saved == (source,)
    assert source.read_text() == "whole file"


def test_unusable_file_is_a_problem_and_the_watch_goes_on(source: Path, rounds) -> None:
    problem = BadInput("no program")
    outcomes = [of(source, instructions=5), problem, of(source, instructions=6)]
    found = rounds(outcomes, [write(source, "2"), None, write(source, "33"), None])
    this = after_first(found)
    assert (this.verification, this.problem, this.changes) == (None, problem, {})
    assert next(found).changes == {"count": "accepted: 5 -> 6 instructions"}


def test_what_clang_refuses_is_not_compared(source: Path, rounds) -> None:
    refused = of(source, accepted=False, layer=Layer.COMPILER)
    outcomes = [of(source, instructions=5), refused, of(source, instructions=6)]
    found = rounds(outcomes, [write(source, "2"), None, write(source, "33"), None])
    assert after_first(found).changes == {}
    assert next(found).changes == {"count": "accepted: 5 -> 6 instructions"}


def test_first_verdict_after_clang_s_refusal_is_a_verdict(source: Path, rounds) -> None:
    refused = of(source, accepted=False, layer=Layer.COMPILER)
    outcomes = [refused, of(source, instructions=6)]
    this = after_first(rounds(outcomes, [write(source, "2"), None]))
    assert this.changes == {"count": "accepted: 6 instructions"}


@pytest.mark.parametrize("error", [BadInput("missing"), PermissionProblem("no root")])
def test_problem_of_the_first_round_ends_the_watch(source: Path, rounds, error: Exception) -> None:
    with pytest.raises(type(error)):
        next(rounds([error], []))


def test_paths_of_the_journal_become_paths_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (Path(__file__).resolve(), Path.home() / "x.c", tmp_path / "y.c"):
        assert absolute(relative(path)) == path
