"""The picture of a look, as a person reads it, and the keys they type."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from lab.run.interface_counters import Drops
from lab.run.look import Look, Typing
from lab.run.prompt import Prompt
from lab.run.snapshot import KeyCount
from lab.run.view import About, bar, picture
from simulator.layout import Detail
from simulator.policy import Policy
from simulator.switches import Alarm
from tests.unit.lab.run_samples import START_NS, Run

ABOUT = About("native", None, "src", Policy(threshold=100))


@pytest.fixture(scope="module")
def look() -> Look:
    """Return the last look of a run that tripped."""
    run = Run(Policy(threshold=100), duration_s=1.5)
    run.packets(0.52, [*range(150), 1, 1, 1])
    run.packets(1.42, [1] * 20)
    run.loop.run()
    return run.looks[-1]


def text(look: Look, about: About = ABOUT) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(picture(look, about))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_picture_tells_rate_detail_and_since_when(look: Look) -> None:
    shown = text(look)
    assert "eth0  native XDP  key src  up 0:00:01" in shown
    assert "LOW DETAIL  for 1.0 s" in shown
    assert "200 packets/s" in shown
    assert "threshold 100 /s" in shown


def test_picture_shows_the_accounts_and_their_difference(look: Look) -> None:
    shown = " ".join(text(look).split())
    assert "153 seen = 100 exact + 53 sketched + 0 not IP + 0 malformed; difference 0" in shown


def test_picture_shows_the_switch_and_its_cause(look: Look) -> None:
    assert "0:00:00  low detail: budget spent (new keys spent 101)" in text(look)


def test_picture_names_exact_and_estimated_counts(look: Look) -> None:
    counts = (
        KeyCount("10.0.0.1", 9, 9, False),
        KeyCount("10.0.0.2", 12, 8, False),
        KeyCount("10.0.0.3", 255, 1, True),
    )
    shown = " ".join(text(replace(look, answers=counts)).split())
    assert "10.0.0.1 9 exact" in shown
    assert "10.0.0.2 12 estimate +0 -4" in shown
    assert "10.0.0.3 255 at least, saturated" in shown


def test_picture_names_why_it_is_generic(look: Look) -> None:
    about = replace(ABOUT, mode="generic", fallback="lo: Operation not supported")
    assert "attached in generic mode: lo: Operation not supported" in text(look, about)


def test_picture_says_what_is_not_known(look: Look) -> None:
    shown = text(replace(look, drops=Drops(None, None), snapshot=None))
    assert "not told by the interface" in shown
    assert "keys not counted yet" in shown


def test_picture_tells_the_drops_before_xdp(look: Look) -> None:
    assert "1,234 packets" in text(replace(look, drops=Drops(1234, 0)))


def test_picture_says_that_there_are_too_many_keys(look: Look) -> None:
    assert look.snapshot
    seen = replace(look.snapshot.observation, cardinality=math.inf)
    shown = text(replace(look, snapshot=replace(look.snapshot, observation=seen)))
    assert "too many keys to count" in shown


def test_picture_says_that_a_number_of_keys_is_rough(look: Look) -> None:
    assert look.snapshot
    assert "keys in the epoch, roughly" not in text(look)
    rough = replace(look.snapshot, reliable=False)
    assert "keys in the epoch, roughly" in text(replace(look, snapshot=rough))


def test_picture_shows_news_and_alarms(look: Look) -> None:
    alarm = Alarm(START_NS + 61_000_000_000, "ledger does not balance", (("difference", 3.0),))
    shown = text(replace(look, entries=(alarm,), news=("eth0 is down: no packets will come",)))
    assert "0:01:01  alarm: ledger does not balance (difference 3)" in shown
    assert "eth0 is down: no packets will come" in shown


@pytest.mark.parametrize(
    ("typing", "expected"),
    [
        (Typing(), "query> _ type a key to ask for its count; q ends"),
        (Typing("10.0"), "query> 10.0_"),
        (Typing("", "'x' is no src key"), "'x' is no src key"),
    ],
)
def test_picture_shows_what_is_typed(look: Look, typing: Typing, expected: str) -> None:
    assert expected in text(replace(look, typing=typing))
    assert "query>" not in text(replace(look, typing=None))


def test_picture_says_where_the_interface_is(look: Look) -> None:
    moved = replace(look.interface, moved=True)
    assert "in another namespace" in text(replace(look, interface=moved))
    assert "down" in text(replace(look, interface=replace(look.interface, up=False)))


def test_high_detail_is_shown_too(look: Look) -> None:
    assert "HIGH DETAIL" in text(replace(look, detail=Detail.HIGH))


@pytest.mark.parametrize(("share", "full"), [(-1, 0), (0, 0), (0.5, 12), (1, 24), (7, 24)])
def test_bar_stays_within_its_bounds(share: float, full: int) -> None:
    assert str(bar(share)) == "█" * full + "░" * (24 - full)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def prompt(asked: list[str]) -> Prompt:
    def ask(text: str) -> str | None:
        asked.append(text)
        return None if text != "bad" else "this is bad"

    return Prompt(ask)


def test_line_is_asked_when_enter_is_typed(prompt: Prompt, asked: list[str]) -> None:
    prompt.type("10.0.0.")
    assert (prompt.text, asked) == ("10.0.0.", [])
    prompt.type("1\r")
    assert (prompt.text, asked) == ("", ["10.0.0.1"])


@pytest.mark.parametrize(
    ("typed", "left"), [("12\x7f3", "13"), ("12\x15", ""), ("12\x1b", ""), ("1\x01\x022", "12")]
)
def test_line_can_be_edited(prompt: Prompt, typed: str, left: str) -> None:
    prompt.type(typed)
    assert prompt.text == left


def test_empty_line_asks_nothing(prompt: Prompt, asked: Any) -> None:
    prompt.type("\n \n")
    assert asked == []


def test_q_ends_on_an_empty_line_only(prompt: Prompt) -> None:
    prompt.type("1q")
    assert (prompt.quit, prompt.text) == (False, "1q")
    prompt.type("\x15q")
    assert prompt.quit


def test_problem_is_kept_until_the_next_line(prompt: Prompt) -> None:
    prompt.type("bad\n")
    assert prompt.problem == "this is bad"
    prompt.type("good\n")
    assert prompt.problem is None
