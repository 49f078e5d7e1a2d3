from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.cli import run
from tests.diary import LOG, accepted, filed, rejected
from verifier_diary import journal
from verifier_diary.fates import disagreements, fates, of_program, section
from verifier_diary.model import Attempt
from verifier_diary.origin import Kernel
from verifier_diary.store import Store

OLD, MIDDLE, NEW = "6.1.0-56-cloud-amd64", "6.12.117+deb12-cloud-amd64", "6.18.44"
SAME = "a" * 64  # the object of `rejected`


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "diary.db")


def on(kernel: str, attempt: Attempt, attempt_id: str) -> Attempt:
    return replace(attempt, kernel=Kernel(kernel, "x86_64"), id=attempt_id)


def three() -> tuple[Attempt, ...]:
    """Return the same object on three kernels, of which the oldest refuses it."""
    return (
        on(OLD, rejected(1), "old"),
        on(MIDDLE, accepted(2, object_sha256=SAME), "middle"),
        on(NEW, accepted(3, object_sha256=SAME), "new"),
    )


def test_every_kernel_is_there_once_the_newest_first(store: Store) -> None:
    filed(store, *three(), on(OLD, rejected(9), "again"))
    told = fates(store, "old")
    assert [fate.kernel for fate in told] == [NEW, MIDDLE, OLD]
    assert [fate.accepted for fate in told] == [True, True, False]
    assert [fate.attempt for fate in told] == ["new", "middle", "again"]
    assert told[0].instructions == 9
    assert told[2].class_id == "packet_bounds"


def test_another_object_of_the_same_name_has_fates_of_its_own(store: Store) -> None:
    filed(store, *three(), on(NEW, accepted(4), "cured"))
    assert [fate.attempt for fate in fates(store, "cured")] == ["cured"]
    assert [fate.attempt for fate in fates(store, "old")] == ["new", "middle", "old"]


def test_an_unknown_attempt_has_none(store: Store) -> None:
    filed(store, *three())
    assert fates(store, "nobody") == ()


def test_kernels_that_judge_alike_do_not_disagree(store: Store) -> None:
    filed(store, *three()[1:])
    assert disagreements(store) == {}


def test_a_kernel_that_refuses_what_others_take_disagrees(store: Store) -> None:
    filed(store, *three())
    assert list(disagreements(store)) == ["first:first"]


def test_different_reasons_are_a_disagreement_too(store: Store) -> None:
    reworded = LOG.replace("invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)", "")
    other = reworded.replace("R1 offset is outside of the packet", "R1 !read_ok")
    filed(store, on(OLD, rejected(1), "old"), on(NEW, rejected(2, log=other), "new"))
    assert list(disagreements(store)) == ["first:first"]


def test_only_the_newest_object_of_a_program_counts(store: Store) -> None:
    filed(store, *three(), on(OLD, accepted(8), "cured"), on(NEW, accepted(9), "cured too"))
    assert disagreements(store) == {}
    assert [fate.attempt for fate in of_program(store, "first")["first:first"]] == [
        "cured too",
        "cured",
    ]


def test_a_page_says_what_the_others_said_and_how_to_compare(store: Store) -> None:
    filed(store, *three())
    assert section(fates(store, "old"), "old").splitlines()[2:] == [
        "The same object on each kernel:",
        f"  {NEW}                     accepted: 9 instructions processed  (attempt new)",
        f"  {MIDDLE}  accepted: 9 instructions processed  (attempt middle)",
        f"  {OLD}        rejected: packet_bounds: invalid access to packet, off=0 size=1, "
        "R1(id=0,off=0,r=0)  (attempt old)",
        "  lab diary diff old new  compares their logs",
    ]


def test_a_page_of_one_kernel_says_nothing(store: Store) -> None:
    filed(store, rejected(1))
    assert section(fates(store, rejected(1).id), "x") == ""


@pytest.fixture
def _journal(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", str(tmp_path / "diary.db"))
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    for attempt in three():
        journal.append(attempt)


@pytest.mark.usefixtures("_journal")
@pytest.mark.parametrize("wanted", [[], ["first"], ["old"]])
def test_the_command_has_a_row_for_each_kernel(capsys, wanted: list[str]) -> None:
    assert run(["diary", "kernels", *wanted, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["results"]
    assert [(row["kernel"], row["verdict"]) for row in rows] == [
        (NEW, "accepted"),
        (MIDDLE, "accepted"),
        (OLD, "rejected"),
    ]
    assert rows[2]["class"] == "packet_bounds"


@pytest.mark.usefixtures("_journal")
def test_show_has_them_too(capsys) -> None:
    assert run(["diary", "show", "old"]) == 0
    assert "The same object on each kernel:" in capsys.readouterr().out
    assert run(["diary", "show", "old", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert [fate["kernel"] for fate in row["fates"]] == [NEW, MIDDLE, OLD]


def test_a_diary_without_disagreements_says_so(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", str(tmp_path / "diary.db"))
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    assert run(["diary", "kernels"]) == 0
    assert capsys.readouterr().err == (
        "all kernels that were asked judge every program alike; `lab matrix` asks more\n"
    )
