"""The kernel's answers about interfaces, read by hand and by pyroute2."""

from __future__ import annotations

import pytest
from pyroute2 import IPRoute

from lab.attach import interface_index
from lab.run.interface_counters import Drops, InterfaceCounters
from lab.run.link_counters import ask, open_socket
from lab.run.watch import Interface
from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_root

pytestmark = [needs_root]


def test_counters_are_those_that_pyroute2_reads(left: str) -> None:
    live.send("left", 3)
    index = interface_index(left)
    with open_socket() as asking, IPRoute() as route:
        found = ask(asking, index)
        expected = route.link("get", index=index)[0]
    assert found
    stats = expected.get_attr("IFLA_STATS64")
    assert found.kind == "veth"
    assert found.peer == expected.get_attr("IFLA_LINK") == interface_index("right")
    assert (found.rx_dropped, found.tx_dropped, found.rx_missed) == (
        stats["rx_dropped"],
        stats["tx_dropped"],
        stats["rx_missed_errors"],
    )


def test_interface_that_is_not_there_has_none(left: str) -> None:
    with open_socket() as asking:
        assert ask(asking, 4711) is None


def test_other_end_in_another_namespace_is_read_too(left: str) -> None:
    here = Interface(left, interface_index(left))
    with namespaces.peer("right"), InterfaceCounters() as counters:
        assert counters.read(here) == Drops(0, 0)


@pytest.mark.parametrize(
    "where",
    [Interface("left", 4711), Interface("left", 1, present=False), Interface("x", 1, moved=True)],
)
def test_what_is_not_told_is_none(left: str, where: Interface) -> None:
    with InterfaceCounters() as counters:
        assert counters.read(where) == Drops(None, None)
