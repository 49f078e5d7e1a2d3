"""The testbed: a sending and a receiving namespace, a veth pair between them, always removed."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentProblem, LabError, PermissionProblem
from lab.testbed import namespaces
from lab.testbed.signals import postponed
from lab.testbed.statistics import InterfaceStatistics, Statistics, read

MTU = 1500
CARRIER_S = 5.0  # far more than veth ever takes
_DENIED = (errno.EPERM, errno.EACCES)


@dataclass(frozen=True)
class End:
    """One end of the pair."""

    namespace: str
    interface: str
    ifindex: int  # in its namespace


class Testbed:
    """Namespaces and links while it is entered; a context manager.

    `sender` and `receiver` are its ends. Nothing else speaks on the wire: no addresses, no IPv6.
    """

    sender: End
    receiver: End

    def __init__(self, mtu: int = MTU) -> None:
        """Choose the MTU of both ends, in bytes."""
        self.mtu = mtu
        self._stack = ExitStack()

    def __enter__(self) -> Testbed:
        """Make the namespaces and the links; raises PermissionProblem, EnvironmentProblem."""
        try:
            with postponed():
                self._make()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Remove them."""
        self.close()

    def close(self) -> None:
        """Remove namespaces and links; a second call does nothing."""
        with postponed():
            self._stack.close()

    @contextmanager
    def run_in(self, end: End) -> Iterator[None]:
        """Run the body in an end's namespace: this thread only, and what it starts."""
        with namespaces.entered(end.namespace):
            yield

    def statistics(self) -> Statistics:
        """Return what both ends have counted so far."""
        return Statistics(*(self._read(end) for end in (self.sender, self.receiver)))

    def _read(self, end: End) -> InterfaceStatistics:
        with self.run_in(end):
            return read(end.interface)

    def _make(self) -> None:
        namespaces.sweep()
        sender, receiver = namespaces.new_names("tx", "rx")
        with _explained():
            for name in (sender, receiver):
                self._namespace(name)
            self.sender, self.receiver = self._pair(sender, receiver)
            for end in (self.sender, self.receiver):
                self._bring_up(end)
            for end in (self.sender, self.receiver):
                self._wait_for_carrier(end)

    def _namespace(self, name: str) -> None:
        self._stack.callback(namespaces.remove, name)
        namespaces.create(name)
        with namespaces.entered(name):
            _no_ipv6()

    def _pair(self, sender: str, receiver: str) -> tuple[End, End]:
        from pyroute2 import IPRoute

        peer = {"ifname": "rx0", "net_ns_fd": receiver}
        with namespaces.entered(sender), IPRoute() as route:
            route.link(
                "add", ifname="tx0", kind="veth", mtu=self.mtu, peer={**peer, "mtu": self.mtu}
            )
        return _end(sender, "tx0"), _end(receiver, "rx0")

    def _bring_up(self, end: End) -> None:
        from pyroute2 import IPRoute

        with self.run_in(end), IPRoute() as route:
            route.link("set", index=end.ifindex, state="up")

    def _wait_for_carrier(self, end: End) -> None:
        from pyroute2 import IPRoute

        deadline = time.monotonic() + CARRIER_S
        with self.run_in(end), IPRoute() as route:
            while not route.link("get", index=end.ifindex)[0].get_attr("IFLA_CARRIER"):
                if time.monotonic() > deadline:
                    raise EnvironmentProblem(f"{end.interface} has no carrier after {CARRIER_S} s")
                time.sleep(0.01)


def _end(namespace: str, interface: str) -> End:
    with namespaces.entered(namespace):
        return End(namespace, interface, socket.if_nametoindex(interface))


# Router solicitations and the like would be packets that nobody offered.
def _no_ipv6() -> None:
    for scope in ("all", "default"):
        switch = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if switch.exists():
            switch.write_text("1", encoding="ascii")


# pyroute2's NetlinkError is no OSError, but has an errno too, as `code`.
@contextmanager
def _explained() -> Iterator[None]:
    from pyroute2 import NetlinkError

    try:
        yield
    except LabError:
        raise
    except (OSError, NetlinkError) as error:
        number = error.code if isinstance(error, NetlinkError) else error.errno
        if number in _DENIED:
            raise PermissionProblem(
                "network namespaces and links take CAP_SYS_ADMIN and CAP_NET_ADMIN",
                try_="run it with sudo",
            ) from error
        raise EnvironmentProblem(
            f"the testbed cannot be made: {error}",
            try_="a kernel with CONFIG_NET_NS and CONFIG_VETH",
        ) from error
