"""What happens to the interface meanwhile: renamed, moved, set down, another MTU, gone.

The kernel tells the group RTNLGRP_LINK (rtnetlink(7)); a link that has lost its interface gives no
error by itself.
"""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from lab.libbpf.link import Link

_GROUP_LINK = 1  # RTMGRP_LINK
_IFF_UP = 1
_ROOM = 1 << 16


@dataclass(frozen=True)
class Interface:
    """What is known of it."""

    name: str
    index: int
    mtu: int | None = None
    up: bool | None = None
    present: bool = True
    moved: bool = False  # to another network namespace, from where no news come
    namespace_id: int | None = None  # the kernel's number for that one, if it has one


class Watch:
    """Follows one interface; a context manager. `fileno` is readable when there is news."""

    def __init__(self, link: Link, name: str) -> None:
        """Begin, in the interface's network namespace."""
        self._link = link
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, _GROUP_LINK))
        self._socket.setblocking(False)
        at_first = Interface(name, link.ifindex)
        self.interface = _look(at_first) or at_first  # gone already: `check` will say so

    def __enter__(self) -> Watch:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop listening."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def news(self) -> list[str]:
        """Return what has happened since the last call, a sentence each."""
        told: list[str] = []
        while (data := self._receive()) is not None:
            for message in _parsed(data):
                told += self._take(message)
            if not data:
                told += self._look_again()
        return told

    def check(self) -> list[str]:
        """Ask whether the interface is still there: what happens elsewhere is not announced."""
        if not self.interface.present or self._link.alive():
            return []
        return self._gone()

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(_ROOM)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            return b""  # messages were lost: more came than there was room for

    def _take(self, message: Any) -> list[str]:
        if message["index"] != self.interface.index or not self.interface.present:
            return []
        if self.interface.moved:  # now this is the number of another interface here
            return []
        if message["event"] == "RTM_DELLINK":
            number = message.get_attr("IFLA_NEW_NETNSID")
            return self._left(number) if self._link.alive() else self._gone()
        if message["event"] != "RTM_NEWLINK":
            return []
        before, self.interface = self.interface, _described(self.interface, message)
        return list(_differences(before, self.interface))

    def _look_again(self) -> list[str]:
        gone = self.check()
        if gone or self.interface.moved or not self.interface.present:
            return gone
        before, found = self.interface, _look(self.interface)
        if found is None:
            return self._left(None)
        self.interface = found
        return list(_differences(before, found))

    # `number` is the kernel's for the namespace it went to; -1 or None where it has none.
    def _left(self, number: int | None) -> list[str]:
        name = self.interface.name
        self.interface = replace(
            self.interface,
            moved=True,
            index=self._link.interface(),
            namespace_id=number if number is not None and number >= 0 else None,
        )
        return [f"{name} moved to another network namespace; the program goes along"]

    def _gone(self) -> list[str]:
        self.interface = replace(self.interface, present=False)
        return [f"{self.interface.name} is gone"]


# None where it is not in this network namespace.
def _look(interface: Interface) -> Interface | None:
    from pyroute2 import IPRoute, NetlinkError

    with IPRoute() as route, suppress(NetlinkError):
        return _described(interface, route.link("get", index=interface.index)[0])
    return None


def _parsed(data: bytes) -> list[Any]:
    from pyroute2.netlink.rtnl.marshal import MarshalRtnl

    return list(MarshalRtnl().parse(data)) if data else []


def _described(interface: Interface, message: Any) -> Interface:
    return replace(
        interface,
        name=message.get_attr("IFLA_IFNAME") or interface.name,
        mtu=message.get_attr("IFLA_MTU") or interface.mtu,
        up=bool(message["flags"] & _IFF_UP),
    )


def _differences(before: Interface, after: Interface) -> list[str]:
    told = []
    if after.name != before.name:
        told.append(f"{before.name} is now named {after.name}")
    if after.mtu != before.mtu:
        told.append(f"{after.name}: MTU {before.mtu} is now {after.mtu}")
    if after.up != before.up:
        told.append(f"{after.name} is {'up again' if after.up else 'down: no packets will come'}")
    return told
