from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorder import chunk_event, load_event
from verifier_diary.recorder_events import (
    CHUNK,
    LOG,
    LOG_CHUNKS,
    RING_BYTES,
    Chunk,
    Ended,
    parse,
)

MIB = 1024 * 1024


def test_a_chunk_is_read_without_its_padding() -> None:
    event = chunk_event(LOG, b"R0 !read_ok", thread=9, time=3, offset=12)
    assert parse(event + bytes(5)) == Chunk(LOG, 9, 3, 12, b"R0 !read_ok")


def test_the_end_of_a_load_is_read() -> None:
    end = parse(load_event(thread=5 << 32 | 6, result=-22, true_size=77, attr_size=152))
    assert isinstance(end, Ended)
    assert (end.thread, end.result, end.log_true_size, end.attr_size) == (5 << 32 | 6, -22, 77, 152)
    assert (end.name, end.comm, end.program_type) == ("prog", "bpftool", 6)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(1, (True, False, False)), (2, (False, True, False)), (4, (False, False, True))],
)
def test_flags_are_told_apart(flags: int, expected: tuple[bool, bool, bool]) -> None:
    end = parse(load_event(flags=flags))
    assert isinstance(end, Ended)
    assert (end.was_dirty, end.unreadable, end.dropped) == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse(data), Chunk | Ended)


def test_what_is_no_event_says_so() -> None:
    with pytest.raises(ValueError, match="not an event of the flight recorder: kind 0, 3 bytes"):
        parse(b"abc")


def test_a_log_of_a_mebibyte_fits_and_the_ring_holds_the_longest_twice() -> None:
    longest = LOG_CHUNKS * (CHUNK - 1)
    assert longest >= MIB
    assert 2 * longest <= RING_BYTES
    assert RING_BYTES & (RING_BYTES - 1) == 0
