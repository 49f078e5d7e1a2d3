from __future__ import annotations

import pytest

from tests.diary import LOG
from verifier_diary.entries import Filter
from verifier_diary.logfile import Log
from verifier_diary.store import Store

pytest.importorskip("textual", reason="textual draws the browser: pip install -e '.[terminal]'")


from verifier_diary.browser.plain import cut, plain
from verifier_diary.browser.query import Query
from verifier_diary.browser.states import States


def test_states_are_gone_through_in_a_circle() -> None:
    states = [query := Query()]
    states += [query := query.next_state() for _ in range(3)]
    assert [query.wanted.cured for query in states] == [None, False, True, None]


def test_expectations_are_gone_through_in_a_circle() -> None:
    states = [query := Query()]
    states += [query := query.next_expected() for _ in range(3)]
    assert [query.wanted.expected for query in states] == [False, None, True, False]


def test_a_query_says_everything_that_limits_it(store: Store) -> None:
    wanted = Filter("cfg", kernel="6.1", program="p", layer="kernel", cured=True, expected=True)
    assert Query("", wanted).summary(store, 0, 200) == (
        "0 entries  class: cfg  kernel: 6.1  program: p  refused by: kernel  cured only  "
        "expected only"
    )


def test_a_query_says_when_there_may_be_more(store: Store) -> None:
    assert Query("x").summary(store, 200, 200) == "200+ found  expected hidden"


def test_lines_are_cut_to_a_width() -> None:
    assert [cut("abcdef", 6), cut("a\nb\tcdef", 5)] == ["abcdef", "a b …"]


def test_what_is_no_character_is_replaced() -> None:
    assert plain("a\x1b\x00\udcffb\tc\n") == "a\ufffd\ufffd\ufffdb   c\n"


@pytest.mark.parametrize(
    ("line", "moment", "held"),
    [
        (0, "printed here", ["R1=ctx()", "R10=fp0"]),
        (1, "before 0: r1 = *(u32 *)(r1 +0)", ["R1=ctx()", "R10=fp0"]),
        (4, "before 1: r0 = *(u8 *)(r1 +0)", ["R1=pkt(r=0)", "R10=fp0"]),
        (7, "before 1: r0 = *(u8 *)(r1 +0)", ["R1=pkt(r=0)", "R10=fp0"]),
    ],
    ids=["state", "source", "instruction", "summary"],
)
def test_registers_are_those_before_the_instruction(
    line: int, moment: str, held: list[str]
) -> None:
    now = States(Log(LOG)).at(line)
    assert now.moment == moment
    assert list(map(str, now.entries)) == held


def test_another_path_has_no_registers() -> None:
    log = Log("0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n7: (95) exit\n\nfrom 0 to 1: safe\n" + LOG)
    assert States(log).at(2).moment == "not on the failing path"


def test_a_text_without_instructions_has_no_registers() -> None:
    assert States(Log("error: no such header\n")).at(0).entries == ()
