"""News of an interface, where messages were lost, or are about others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lab.run import watch
from lab.run.watch import Interface, Watch
from tests.unit.lab.run_samples import ETH0


class Link:
    """A link whose interface is where a test wants it."""

    ifindex = 2

    def __init__(self) -> None:
        self.index = 2

    def alive(self) -> bool:
        return self.index != 0

    def interface(self) -> int:
        return self.index


@pytest.fixture
def link() -> Link:
    return Link()


@pytest.fixture
def watched(link: Link, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setattr(watch, "_look", lambda interface: ETH0)
    with Watch(link, "eth0") as watched:
        yield watched


def lose_messages(watched: Watch, monkeypatch: pytest.MonkeyPatch, found: Interface | None) -> None:
    """Let the kernel say ENOBUFS once; a look then finds `found`."""
    answers = iter([b"", None])
    monkeypatch.setattr(watched, "_receive", lambda: next(answers))
    monkeypatch.setattr(watch, "_look", lambda interface: found)


def test_lost_messages_make_it_look_again(watched: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_messages(watched, monkeypatch, replace(ETH0, name="wan0", mtu=9000, up=False))
    assert watched.news() == [
        "eth0 is now named wan0",
        "wan0: MTU 1500 is now 9000",
        "wan0 is down: no packets will come",
    ]


def test_interface_that_is_elsewhere_after_lost_messages_has_moved(
    watched: Watch, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_messages(watched, monkeypatch, None)
    link.index = 7
    assert watched.news() == ["eth0 moved to another network namespace; the program goes along"]
    assert watched.interface == replace(ETH0, moved=True, index=7)


def test_interface_that_is_nowhere_after_lost_messages_is_gone(
    watched: Watch, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_messages(watched, monkeypatch, None)
    link.index = 0
    assert watched.news() == ["eth0 is gone"]
    assert not watched.interface.present


def message(**fields: Any) -> Any:
    """Return a message as pyroute2 parses it."""

    class Message(dict):
        def get_attr(self, name: str) -> Any:
            return {"IFLA_IFNAME": "eth9", "IFLA_MTU": 1500}.get(name)

    return Message({"index": 2, "event": "RTM_NEWLINK", "flags": 1, **fields})


@pytest.mark.parametrize("fields", [{"index": 3}, {"event": "RTM_GETLINK"}])
def test_messages_about_something_else_are_passed_over(
    watched: Watch, fields: dict[str, Any]
) -> None:
    assert watched._take(message(**fields)) == []
    assert watched.interface == ETH0


def test_other_interface_with_the_same_number_after_a_move_is_another(
    watched: Watch, link: Link
) -> None:
    link.index = 7
    assert watched._take(message(event="RTM_DELLINK"))
    assert watched._take(message(index=7)) == []
    assert watched.interface.name == "eth0"


def test_check_says_once_that_it_is_gone(watched: Watch, link: Link) -> None:
    assert watched.check() == []
    link.index = 0
    assert watched.check() == ["eth0 is gone"]
    assert watched.check() == []
