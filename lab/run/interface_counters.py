"""Packets that the interface lost before XDP could see them: no part of the ledger."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from lab.run.link_counters import LinkCounters, ask, open_socket
from lab.run.watch import Interface


@dataclass(frozen=True)
class Drops:
    """Counters of the interface; None is what it does not tell."""

    before_xdp: int | None = None
    rx_dropped: int | None = None  # by driver or stack, before or after XDP: it does not say

    def __sub__(self, other: Drops) -> Drops:
        """Return what was counted since `other`; an interface made anew counts from 0."""
        return Drops(
            _less(self.before_xdp, other.before_xdp), _less(self.rx_dropped, other.rx_dropped)
        )


class InterfaceCounters:
    """Reads one interface's counters, wherever it is; a context manager."""

    def __init__(self) -> None:
        """Open a netlink socket in the interface's first network namespace."""
        self._socket: socket.socket = open_socket()

    def __enter__(self) -> InterfaceCounters:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the socket."""
        self._socket.close()

    def read(self, interface: Interface) -> Drops:
        """Return the counters since the interface was made."""
        if not interface.present or (interface.moved and interface.namespace_id is None):
            return Drops()
        link = ask(self._socket, interface.index, interface.namespace_id)
        if link is None:
            return Drops()
        lost = self._veth(link, interface) if link.kind == "veth" else link.rx_missed
        return Drops(lost, link.rx_dropped)

    # A full ring is counted by the end that sends (veth_xmit and veth_xdp_xmit), frames that could
    # not be turned into XDP's by the queue that receives (drivers/net/veth.c).
    def _veth(self, link: LinkCounters, interface: Interface) -> int | None:
        if interface.moved or not link.peer:  # the other end's number is one of that namespace
            return None
        peer = ask(self._socket, link.peer, link.peer_namespace)
        queue = _queue_losses(interface.name)
        if peer is None or queue is None:
            return None
        return peer.tx_dropped + queue


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
