from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, SOURCE, accepted, filed, rejected
from verifier_diary.entries import Entry, Filter, entries
from verifier_diary.listing import listing, table
from verifier_diary.model import Attempt, SourceText
from verifier_diary.origin import Git, Kernel, Origin
from verifier_diary.page import page
from verifier_diary.page_record import record
from verifier_diary.store import Store
from verifier_diary.views import folded_log, render, who


def shown(store: Store, *attempts: Attempt, whole_log: bool = False) -> str:
    found = filed(store, *attempts)
    return render(page(store, found[0]), whole_log=whole_log)


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(("a", "b"), [("long", "x"), ("s", "y")]) == "a     b\nlong  x\ns     y"


def test_lines_are_cut_for_a_terminal() -> None:
    assert table(("a", "b"), [("x", "12345")], width=6) == "a  b\nx  12…"


def test_the_list_has_a_line_for_each_entry(store: Store) -> None:
    text = listing(filed(store, rejected(), accepted()))
    head, line = text.split("\n")
    assert head.startswith("id            class          program  kernel ")
    assert "  packet_bounds  first    6.18.44  1     2026-03-02  2026-03-02  invalid" in line
    assert line.endswith(f"[bpf/first.bpf.c:4]  {LINE}")


@pytest.mark.parametrize(
    ("attempts", "state"),
    [
        ([rejected()], "  open  "),
        ([rejected(expected=True)], "  expected  "),
        ([rejected(), accepted()], "  2026-03-02  invalid"),
    ],
    ids=["open", "expected", "cured"],
)
def test_the_list_says_what_became_of_an_entry(
    store: Store, attempts: list[Attempt], state: str
) -> None:
    assert state in listing(filed(store, *attempts))


def test_a_page_begins_with_what_and_where(store: Store) -> None:
    lines = shown(store, rejected(), rejected(1, kernel=Kernel("6.12"))).split("\n")
    assert lines[0].endswith("  open, seen 2 times")
    assert lines[1:4] == [
        "program first, xdp, xdp  of first",
        "kernel 6.12, 6.18.44",
        "refused by the verifier",
    ]


def test_the_diagnosis_comes_before_cure_sightings_and_log(store: Store) -> None:
    text = shown(store, rejected(), accepted())
    heads = ["Reason:", "At:", "Suggestion:", "Cure:", "Sightings:", "Log:"]
    places = [text.index(f"\n{head}\n") for head in heads]
    assert places == sorted(places)


def test_a_page_marks_the_c_line(store: Store) -> None:
    assert f"> 4 |         {LINE}" in shown(store, rejected())


def test_a_page_shows_the_cure_as_a_diff_with_its_price(store: Store) -> None:
    text = shown(store, rejected(0), rejected(1), accepted(2))
    assert "  accepted 2026-03-02 00:02 at 111111111111, after 2 rejected tries\n" in text
    assert "  instructions processed, until the rejection and now: 2 -> 9 (+7)\n" in text
    assert "  +\tif (data + 1 > end)\n" in text


def test_a_cure_without_a_new_source_says_so(store: Store) -> None:
    assert "  no source changed\n" in shown(
        store, rejected(), accepted(sources=rejected().sources, knobs={"a": 1})
    )


def test_only_the_newest_sightings_are_shown(store: Store) -> None:
    text = shown(store, *(rejected(minute) for minute in range(12)))
    assert "  ... 2 earlier\n" in text
    assert "  2026-03-02 00:11  6.18.44  tests/t.py::test (pid 42) at 111111111111\n" in text


def test_a_truncated_log_is_said_to_be(store: Store) -> None:
    assert "the start of the log is missing" in shown(
        store, rejected(truncated=True, log_true_size=9_000_000)
    )


def test_a_long_log_is_folded_around_the_message(store: Store) -> None:
    found = filed(store, rejected(log=LOG.replace("1: (71)", "; x\n" * 100 + "1: (71)")))
    log = folded_log(page(store, found[0]))
    assert log[0] == "... 92 lines before this"
    assert log[-3].startswith("invalid access to packet")
    assert len(log) < 20


def test_a_whole_log_is_shown_when_asked_for(store: Store) -> None:
    long = LOG.replace("1: (71)", "; x\n" * 100 + "1: (71)")
    assert "lines before this" not in shown(store, rejected(log=long), whole_log=True)


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (Origin(("lab", "verify"), None, 7), "lab verify (pid 7) at 111111111111"),
        (Origin(test="t.py::x"), "t.py::x at 111111111111"),
        (Origin(comm="bpftool", pid=7), "bpftool (pid 7) at 111111111111"),
        (Origin(), "unknown at 111111111111"),
    ],
    ids=["command", "test", "process", "nobody"],
)
def test_a_sighting_names_who_it_was(store: Store, origin: Origin, said: str) -> None:
    found = filed(store, rejected(origin=origin))
    assert who(page(store, found[0]).sightings[0]) == said


def test_an_edited_checkout_is_said_to_be(store: Store) -> None:
    found = filed(store, rejected(git=Git("1" * 40, True)))
    assert who(page(store, found[0]).sightings[0]).endswith("at 111111111111, edited")


def test_a_pasted_log_names_its_file(store: Store) -> None:
    found = filed(store, rejected())
    seen = replace(page(store, found[0]).sightings[0], file="ci.log")
    assert who(seen) == "pasted: ci.log"


def test_a_record_has_the_page(store: Store) -> None:
    found = filed(store, rejected(), accepted())
    told = record(page(store, found[0]))
    assert told["class"] == "packet_bounds"
    assert told["reason"]
    assert [line["number"] for line in told["context"] if line["marked"]] == [4]
    assert told["cure"]["instructions"] == (2, 9)
    assert len(told["seen"]) == 1
    assert told["log"] == LOG


@pytest.mark.parametrize("layer", ["compiler", "libbpf", "kernel", "verifier", "limit"])
def test_every_layer_has_a_name(store: Store, layer: str) -> None:
    found: list[Entry] = filed(store, rejected(layer=layer))
    assert "\nrefused by " in render(page(store, found[0]))


def test_an_entry_of_a_compiler_error_has_a_page(store: Store) -> None:
    said = (
        "bpf/first.bpf.c:4:9: error: use of undeclared identifier 'data'\n        return data[0];\n"
    )
    filed(store, rejected(log="", messages=said, layer="compiler", errno=None))
    (found,) = entries(store, Filter(layer="compiler"))
    assert found.class_id == "compile_error"
    assert "use of undeclared identifier" in render(page(store, found))


def test_a_source_that_changed_since_is_told_and_shown_as_it_was(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "first.bpf.c"
    path.write_text(SOURCE)
    loaded = (SourceText.of(str(path), SOURCE),)
    found = filed(store, rejected(sources=loaded))[0]
    told = f"\n{path}: changed since, or gone; what was loaded then is shown\n"
    assert told not in render(page(store, found))
    path.write_text(SOURCE.replace("data[0]", "data[9]"))
    text = render(page(store, found))
    assert told in text
    assert f"> 4 |         {LINE}" in text
    assert record(page(store, found))["sources"][0]["changed_since"] is True
    path.unlink()
    assert told in render(page(store, found))


def test_a_cured_entry_says_when(store: Store) -> None:
    assert "  cured 2026-03-02, seen once\n" in shown(store, rejected(), accepted())


def test_a_home_is_named_without_quotes(store: Store) -> None:
    found = filed(store, rejected(origin=Origin(("~/bin/python3", "a b.py"))))[0]
    assert "~/bin/python3 'a b.py'" in render(page(store, found))
