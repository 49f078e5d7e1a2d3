from __future__ import annotations

from dataclasses import replace

import pytest

from tests.diary import LINE, LOG, SOURCE, accepted, filed, rejected, time
from verifier_diary.attempts import attempt, prepare, repeated
from verifier_diary.cures import cure
from verifier_diary.entries import Filter, count, entries, entry, known, sightings
from verifier_diary.filing import file_all
from verifier_diary.model import Attempt, Layer, Program, SourceText
from verifier_diary.origin import Git, Kernel, Origin
from verifier_diary.store import Store
from verifier_diary.store_errors import NoSuchEntry


def test_a_rejection_becomes_an_entry(store: Store) -> None:
    (found,) = filed(store, rejected())
    assert found.class_id == "packet_bounds"
    assert found.layer == "verifier"
    assert (found.object, found.program, found.section, found.type) == (
        "first",
        "first",
        "xdp",
        "xdp",
    )
    assert found.message == "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)"
    assert (found.source_line, found.place) == (LINE, "bpf/first.bpf.c:4")
    assert (found.instruction, found.kernel, found.sightings) == (1, "6.18.44", 1)


def test_an_attempt_comes_back_as_it_was_filed(store: Store) -> None:
    first = rejected(knobs={"width": 7}, map_sizes={"m": {"max_entries": 2}})
    filed(store, first)
    assert attempt(store, first.id) == first


def test_the_same_rejection_is_another_sighting(store: Store) -> None:
    later = rejected(5, LOG.replace("off=0 size=1", "off=12 size=1"), kernel=Kernel("6.12"))
    (found,) = filed(store, rejected(), later)
    assert (found.sightings, found.first_seen, found.last_seen) == (2, time(0), time(5))
    assert [s.kernel for s in sightings(store, found.id)] == ["6.12", "6.18.44"]


@pytest.mark.parametrize(
    "other",
    [
        rejected(1, LOG.replace(LINE, "return data[1];")),
        rejected(1, LOG.replace("invalid access to packet,", "R1 invalid mem access 'scalar',")),
        rejected(1, program=Program("first", "first", "tc", "sched_cls")),
    ],
    ids=["source line", "message", "section"],
)
def test_another_rejection_is_another_entry(store: Store, other: Attempt) -> None:
    assert len(filed(store, rejected(), other)) == 2


def test_without_a_source_line_the_program_tells_entries_apart(store: Store) -> None:
    bare = "\n".join(line for line in LOG.splitlines() if not line.startswith(";"))
    other = Program("second", "second", "xdp", "xdp")
    assert len(filed(store, rejected(0, bare), rejected(1, bare, program=other))) == 2


def test_a_sighting_says_who(store: Store) -> None:
    (found,) = filed(store, rejected())
    (seen,) = sightings(store, found.id)
    assert (seen.command, seen.test, seen.pid) == (
        "lab verify bpf/first.bpf.c",
        "tests/t.py::test",
        42,
    )
    assert (seen.revision, seen.dirty, seen.time) == ("1" * 40, False, time(0))


def test_the_same_attempt_is_filed_once(store: Store) -> None:
    first = rejected()
    assert [found.sightings for found in filed(store, first, first)] == [1]


def test_texts_are_stored_once(store: Store) -> None:
    filed(store, rejected(0), rejected(1), rejected(2))
    assert len(store.rows("SELECT * FROM texts")) == 3  # log, source, details


def test_expected_rejections_are_hidden_by_default(store: Store) -> None:
    filed(store, rejected(expected=True))
    assert entries(store) == []
    assert len(entries(store, Filter(expected=True))) == 1
    assert len(entries(store, Filter(expected=None))) == 1


def test_an_expected_rejection_that_is_met_by_surprise_is_shown(store: Store) -> None:
    filed(store, rejected(expected=True), rejected(1))
    assert len(entries(store)) == 1


def test_a_lessons_bad_program_is_expected_whoever_loads_it(store: Store) -> None:
    source = 'EXPECT_REJECT("invalid access")\nSEC("?xdp")\n' + SOURCE.replace("first", "first_bad")
    lesson = rejected(
        sources=(SourceText.of("bpf/lessons/first.bpf.c", source),),
        program=Program("first_bad", "first", "?xdp", "xdp"),
    )
    (found,) = filed(store, lesson)
    assert found.expected


def test_a_truncated_log_is_marked(store: Store) -> None:
    (found,) = filed(store, rejected(log=LOG[:200], truncated=True))
    assert found.truncated == "end"


def test_a_log_without_a_message_is_marked(store: Store) -> None:
    (found,) = filed(store, rejected(log="0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n1: (95) exit\n"))
    assert (found.class_id, found.message) == ("no_message", "")


def test_the_layer_is_what_the_loader_knew(store: Store) -> None:
    (found,) = filed(store, rejected(log="", layer=Layer.KERNEL, errno=1))
    assert found.layer == "kernel"


def test_the_next_accepted_attempt_is_the_cure(store: Store) -> None:
    good = accepted(7)
    (found,) = filed(store, rejected(1), rejected(4), good, accepted(9))
    assert (found.cured_by, found.cured_time, found.tries) == (good.id, time(7), 2)


def test_a_cure_says_what_it_changed(store: Store) -> None:
    (found,) = filed(store, rejected(knobs={"a": 1}), accepted(knobs={"a": 2}))
    told = cure(store, found)
    assert told is not None
    assert "+\tif (data + 1 > end)" in told.diff
    assert told.diff.startswith("--- bpf/first.bpf.c\n+++ bpf/first.bpf.c\n@@ -1,5 +1,7 @@")
    assert told.settings == ("a: 1 -> 2",)
    assert (told.instructions, told.states) == ((2, 9), (0, 3))


def test_a_source_that_is_lost_is_named_in_the_diff(store: Store) -> None:
    unknown = (SourceText("bpf/first.bpf.c", "0" * 64, None),)
    (found,) = filed(store, rejected(), accepted(sources=unknown))
    told = cure(store, found)
    assert told is not None
    assert "(changed; the text is not known any more)" in told.diff


def test_an_entry_that_comes_back_is_open_again(store: Store) -> None:
    (found,) = filed(store, rejected(1), accepted(2), rejected(3))
    assert found.cured_by is None


def test_another_programs_success_is_no_cure(store: Store) -> None:
    (found,) = filed(store, rejected(), accepted(program=Program("second", "first", "xdp")))
    assert found.cured_by is None


def test_the_same_object_on_another_kernel_is_no_cure(store: Store) -> None:
    same = accepted(object_sha256="a" * 64, kernel=Kernel("7.3.4"))
    (found,) = filed(store, rejected(), same)
    assert found.cured_by is None


def test_a_changed_object_is_cured_only_where_it_was_refused(store: Store) -> None:
    (found,) = filed(store, rejected(), accepted(kernel=Kernel("7.3.4")))
    assert found.cured_by is None
    (found,) = filed(store, accepted(2, kernel=Kernel("6.18.50")))
    told = cure(store, found)
    assert told is not None
    assert told.settings == ("kernel: 6.18.44 -> 6.18.50",)


def test_a_lessons_good_program_cures_its_bad_one(store: Store) -> None:
    bad = rejected(program=Program("first_bad", "first", "?xdp"))
    (found,) = filed(store, bad, accepted(program=Program("first_good", "first", "?xdp")))
    assert found.cured_by is not None


def test_strangers_are_told_apart_by_command_and_type(store: Store) -> None:
    stranger = Program("prog", type="xdp")
    bad = rejected(program=stranger, origin=Origin(comm="bpftool"))
    filed(store, bad, accepted(1, program=stranger, origin=Origin(comm="other")))
    (found,) = filed(store, accepted(2, program=stranger, origin=Origin(comm="bpftool")))
    assert found.cured_time == time(2)


def test_a_nameless_program_is_never_cured(store: Store) -> None:
    nameless = {"program": Program(""), "origin": Origin(comm="bpftool")}
    (found,) = filed(store, rejected(**nameless), accepted(**nameless))
    assert found.cured_by is None


def test_a_repeat_shares_everything_but_who_and_when(store: Store) -> None:
    first = rejected()
    filed(store, first)
    own = replace(rejected(5), git=Git("2" * 40, True), origin=Origin(("again",)))
    with store.writing():
        file_all(store, [lambda store: repeated(store, first.id, own)])
    again = attempt(store, own.id)
    assert again == replace(first, id=own.id, time=own.time, git=own.git, origin=own.origin)


def test_a_repeat_of_nothing_is_passed_over(store: Store) -> None:
    with store.writing():
        assert file_all(store, [lambda store: repeated(store, "nobody", rejected())]) == 0


def test_an_entry_is_found_by_the_start_of_its_id(store: Store) -> None:
    (found,) = filed(store, rejected())
    assert entry(store, found.id[:4]) == found


def test_an_entry_is_found_by_an_attempt(store: Store) -> None:
    (found,) = filed(store, rejected(0), second := rejected(1))
    assert entry(store, second.id) == found


def test_last_is_the_newest_entry(store: Store) -> None:
    filed(store, rejected(5), rejected(6, LOG.replace(LINE, "return data[1];")))
    assert entry(store, "last").last_seen == time(6)


def test_an_unknown_id_says_where_ids_are(store: Store) -> None:
    with pytest.raises(NoSuchEntry, match="no entry cafe is in the diary") as caught:
        entry(store, "cafe")
    assert (caught.value.try_, caught.value.exit_code) == ("lab diary list --all", 2)


def test_an_ambiguous_id_names_the_candidates(store: Store) -> None:
    logs = [LOG.replace(LINE, f"return data[{number}];") for number in range(40)]
    found = filed(store, *(rejected(0, log) for log in logs))
    starts = [e.id[0] for e in found]
    start = next(s for s in starts if starts.count(s) > 1)
    with pytest.raises(NoSuchEntry, match=rf"{starts.count(start)} entries begin with {start}: "):
        entry(store, start)


def test_an_empty_diary_says_how_to_fill_it(store: Store) -> None:
    with pytest.raises(NoSuchEntry, match="has no entries yet") as caught:
        entry(store, "last")
    assert caught.value.try_ == "lab verify FILE.c, or lab diary import LOG"


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (Filter(), 2),
        (Filter(class_id="packet_bounds"), 2),
        (Filter(class_id="loop"), 0),
        (Filter(kernel="6.12"), 1),
        (Filter(program="sec"), 1),
        (Filter(program="%"), 0),
        (Filter(layer="verifier"), 2),
        (Filter(layer="limit"), 0),
        (Filter(cured=True), 1),
        (Filter(cured=False), 1),
    ],
    ids=str,
)
def test_a_filter_lets_pass_what_it_says(store: Store, wanted: Filter, number: int) -> None:
    second = Program("second", "second", "tc", "sched_cls")
    filed(store, rejected(program=second, kernel=Kernel("6.12.1")), rejected(2), accepted(3))
    assert len(entries(store, wanted)) == number


def test_the_values_to_filter_by_are_known(store: Store) -> None:
    filed(
        store, rejected(), rejected(1, kernel=Kernel("6.12.1")), accepted(2, kernel=Kernel("7.3"))
    )
    assert known(store, "kernel") == ["6.12.1", "6.18.44"]


def test_entries_are_counted(store: Store) -> None:
    filed(store, rejected(), rejected(1, LOG.replace(LINE, "return data[1];")))
    assert count(store, Filter()) == 2


def test_addresses_are_not_stored(store: Store) -> None:
    log = LOG.replace("0: (61)", "0: (18) r2 = 0xffff8881048d0200\n0: (61)")
    filed(store, bad := rejected(log=log))
    found = attempt(store, bad.id)
    assert found is not None
    assert "<address>" in found.log
    assert "ffff8881048d0200" not in found.log


def test_preparing_needs_no_database() -> None:
    assert prepare(rejected()).row["class"] == "packet_bounds"
