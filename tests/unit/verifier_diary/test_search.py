from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, filed, rejected
from verifier_diary.entries import Filter
from verifier_diary.model import Program
from verifier_diary.search import passages, query, search
from verifier_diary.search_text import bare
from verifier_diary.store import Store

OTHER = """\
0: R1=ctx() R10=fp0
; return *(int *)lookup(&flows, key); @ second.bpf.c:9
0: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=flows,ks=4,vs=4)
1: (61) r0 = *(u32 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "diary.db") as opened:
        second = Program("second_program", "second", "tc", "sched_cls")
        filed(opened, rejected(), rejected(1, OTHER, program=second, sources=()))
        yield opened


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("packet", ["first"]),
        ("invalid", ["first", "second_program"]),
        ("INVALID access", ["first", "second_program"]),
        ("bpf_map_lookup_elem", ["second_program"]),
        ("lookup_el", ["second_program"]),
        ("second_pro", ["second_program"]),
        ("data_end", ["first"]),
        ("xdp_md", ["first"]),
        ('"access to packet"', ["first"]),
        ('"packet to access"', []),
        ("null_deref", ["second_program"]),
        ("packet flows", []),
        ("no such words", []),
        ("return data", ["first"]),
    ],
)
def test_words_are_found_where_they_are(store: Store, text: str, programs: list[str]) -> None:
    assert sorted(str(found.program) for found in search(store, text)) == programs


@pytest.mark.parametrize(
    "text", ["", "  ", "'", '"', '"""', "*", "(", "a AND", "^b", "a:b", "-", "é"]
)
def test_no_text_is_a_syntax_error(store: Store, text: str) -> None:
    assert isinstance(search(store, text), list)


def test_a_filter_holds_in_a_search_too(store: Store) -> None:
    assert [e.program for e in search(store, "invalid", Filter(program="second"))] == [
        "second_program"
    ]


def test_a_search_may_be_limited(store: Store) -> None:
    assert len(search(store, "invalid", limit=1)) == 1


def test_a_word_in_the_message_comes_first(store: Store) -> None:
    log = LOG.replace(LINE, "return packet;").replace("packet,", "map value,")
    filed(store, rejected(5, log.replace("packet\n", "array\n")))
    assert search(store, "packet")[0].source_line == LINE


def test_a_passage_marks_the_words(store: Store) -> None:
    found = search(store, "lookup_elem")
    passage = passages(store, "lookup_elem", found)[found[0].id]
    assert passage.column == "log"
    assert "call bpf_map_⟨lookup_elem⟩" in passage.text


def test_no_entries_have_no_passages(store: Store) -> None:
    assert passages(store, "packet", []) == {}


def test_a_word_is_quoted_as_the_beginning_of_one() -> None:
    assert query('one "two three" four"') == '"one"* "two three"* "four"*'


def test_a_log_is_searched_without_states_and_numbers() -> None:
    assert bare(LOG).splitlines()[:3] == [
        "; char *data = (void *)(long)ctx->data; @ first.bpf.c:3",
        "r1 = *(u32 *)(r1 +0)",
        "; return data[0]; @ first.bpf.c:4",
    ]


def test_of_a_log_each_line_is_kept_once() -> None:
    assert bare("1: (95) exit\n2: (95) exit\n") == "exit"
