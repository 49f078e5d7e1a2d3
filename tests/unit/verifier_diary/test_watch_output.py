from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.recorder import load
from verifier_diary import watch_output
from verifier_diary.recorded import Recorded, recorded
from verifier_diary.retries import Sighting


def one(**changes: Any) -> Recorded:
    return recorded(Sighting([load(**changes)]))


def test_a_line_has_time_process_program_error_and_message() -> None:
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} {6}100  bpftool {10}prog {13}EACCES      R0 !read_ok",
        watch_output.line(one()),
    )


def test_columns_stand_under_their_heads() -> None:
    line, head = watch_output.line(one()), watch_output.HEADER
    for word, value in (("COMMAND", "bpftool"), ("PROGRAM", "prog"), ("MESSAGE", "R0 !read_ok")):
        assert line.index(value) == head.index(word)


def test_a_nameless_program_is_called_by_its_type() -> None:
    assert " (xdp) " in watch_output.line(one(name=""))


@pytest.mark.parametrize("field", ["comm", "name"])
def test_a_strangers_escape_sequences_do_not_reach_the_terminal(field: str) -> None:
    assert "?[31mred" in watch_output.line(one(**{field: "\x1b[31mred"}))


def test_a_message_cannot_break_the_line() -> None:
    assert "\n" not in watch_output.line(replace(one(), message="two\nlines"))
