"""Readers who are slow, or go away: the outlet waits for them, nobody else does."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from lab.output import Format
from lab.run.outlet import Outlet
from lab.run.printer import AsTheyCome
from tests.unit.lab.run_samples import eventually

F_SETPIPE_SZ = 1031


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    out, into = os.pipe()
    fcntl.fcntl(into, F_SETPIPE_SZ, 4096)
    yield out, into
    for descriptor in (out, into):
        with suppress(OSError):
            os.close(descriptor)


def read_all(out: int) -> str:
    with os.fdopen(out) as file:
        return file.read()


def test_texts_come_out_in_their_order(pipe: tuple[int, int]) -> None:
    out, into = pipe
    outlet = Outlet(into)
    for number in range(100):
        outlet.put(f"{number}\n")
    assert outlet.finish()
    os.close(into)
    assert read_all(out).split() == [str(number) for number in range(100)]


def test_reader_who_does_not_read_keeps_nobody_waiting(pipe: tuple[int, int]) -> None:
    out, into = pipe
    outlet = Outlet(into, room=2)
    for _ in range(10):
        outlet.put("x" * 4096)
    assert outlet.full
    assert not outlet.finish(give_up=lambda: True)
    os.close(out)
    assert outlet.finish()  # else its thread would write into the next test's pipe


def test_reader_who_reads_at_last_gets_everything(pipe: tuple[int, int]) -> None:
    out, into = pipe
    outlet = Outlet(into)
    for _ in range(10):
        outlet.put("x" * 4096)
    got = b""
    while len(got) < 40960:
        got += os.read(out, 4096)
    assert outlet.finish()


def test_reader_who_went_away_is_noticed(pipe: tuple[int, int]) -> None:
    out, into = pipe
    os.close(out)
    outlet = Outlet(into)
    outlet.put("text")
    eventually(lambda: outlet.error is not None)
    assert isinstance(outlet.error, BrokenPipeError)
    outlet.put("more")
    assert not outlet.full


def test_pipe_that_does_not_block_is_waited_for(pipe: tuple[int, int]) -> None:
    out, into = pipe
    os.set_blocking(into, False)
    outlet = Outlet(into)
    outlet.put("x" * 20_000)
    got = b""
    while len(got) < 20_000:
        got += os.read(out, 4096)
    assert outlet.finish()


@pytest.mark.parametrize("form", [Format.JSON, Format.JSONL, Format.CSV])
def test_epochs_that_find_no_room_are_counted_and_the_rest_is_whole(
    pipe: tuple[int, int], form: Format
) -> None:
    out, into = pipe
    printer = AsTheyCome(form, Outlet(into, room=3))
    printer.begin({"schema": 1, "record": "metadata"})
    for number in range(50):
        printer.epoch({"record": "epoch", "epoch": number, "padding": "x" * 2000})
    assert 40 < printer.dropped < 50
    with ThreadPoolExecutor() as readers:
        text = readers.submit(read_all, out)
        printer.end({"record": "summary", "records_dropped": printer.dropped}, lambda: False)
        os.close(into)
        assert epochs(form, text.result()) == 50 - printer.dropped


def epochs(form: Format, text: str) -> int:
    if form is Format.JSON:
        return len(json.loads(text)["results"])
    if form is Format.JSONL:
        return sum(json.loads(line)["record"] == "epoch" for line in text.splitlines())
    return len(text.splitlines()) - 1
