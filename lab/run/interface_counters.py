"""Packets that the interface lost before XDP could see them: no part of the ledger."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lab.run.watch import Interface


@dataclass(frozen=True)
class Drops:
    """Counters of the interface; None is what it does not tell."""

    before_xdp: int | None = None
    rx_dropped: int | None = (
        None  # by the driver or the stack, before or after XDP: it does not say
    )

    def __sub__(self, other: Drops) -> Drops:
        """Return what was counted since `other`; an interface made anew counts from 0."""
        return Drops(
            _less(self.before_xdp, other.before_xdp), _less(self.rx_dropped, other.rx_dropped)
        )


class InterfaceCounters:
    """Reads one interface's counters, wherever it is; a context manager."""

    def __init__(self) -> None:
        """Open a netlink socket in the interface's first network namespace."""
        from pyroute2 import IPRoute

        self._route: Any = IPRoute()

    def __enter__(self) -> InterfaceCounters:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the socket."""
        self._route.close()

    def read(self, interface: Interface) -> Drops:
        """Return the counters since the interface was made."""
        if not interface.present or (interface.moved and interface.namespace_id is None):
            return Drops()
        link = self._get(interface.index, interface.namespace_id)
        if link is None:
            return Drops()
        counted = link.get_attr("IFLA_STATS64")
        kind = (link.get_attr("IFLA_LINKINFO") or _EMPTY).get_attr("IFLA_INFO_KIND")
        lost = self._veth(link, interface) if kind == "veth" else counted["rx_missed_errors"]
        return Drops(lost, counted["rx_dropped"])

    # A full ring is counted by the end that sends (veth_xmit and veth_xdp_xmit), frames that could
    # not be turned into XDP's by the queue that receives (drivers/net/veth.c).
    def _veth(self, link: Any, interface: Interface) -> int | None:
        if interface.moved:  # the other end's number is one of that namespace, not of ours
            return None
        peer = self._get(link.get_attr("IFLA_LINK"), link.get_attr("IFLA_LINK_NETNSID"))
        queue = _queue_losses(interface.name)
        if peer is None or queue is None:
            return None
        return int(peer.get_attr("IFLA_STATS64")["tx_dropped"]) + queue

    def _get(self, index: int | None, namespace_id: int | None) -> Any | None:
        from pyroute2 import NetlinkError

        if not index:
            return None
        where = {} if namespace_id is None else {"IFLA_IF_NETNSID": namespace_id}
        with suppress(NetlinkError):
            return self._route.link("get", index=index, **where)[0]
        return None


class _Empty:
    def get_attr(self, name: str) -> None:
        return None


_EMPTY = _Empty()


def _queue_losses(name: str) -> int | None:
    from lab.testbed.statistics import read

    try:
        return read(name).lost
    except (OSError, StopIteration):  # renamed or gone a moment ago
        return None


def _less(number: int | None, earlier: int | None) -> int | None:
    if number is None or earlier is None:
        return None
    return number - earlier if number >= earlier else number
