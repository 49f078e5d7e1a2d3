"""What the two ends of a veth pair counted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class InterfaceStatistics:
    """Counters of one interface since it was made; XDP's are summed over its queues."""

    rx_packets: int = 0
    rx_dropped: int = 0
    tx_packets: int = 0
    tx_dropped: int = 0
    xdp_packets: int = 0  # frames that reached an XDP program
    xdp_drops: int = 0  # of these, the verdict dropped
    lost: int = 0  # frames that the receiving queue lost before XDP

    def __sub__(self, other: InterfaceStatistics) -> InterfaceStatistics:
        """Return what was counted since `other`."""
        return InterfaceStatistics(
            *(getattr(self, f.name) - getattr(other, f.name) for f in fields(self))
        )


@dataclass(frozen=True)
class Statistics:
    """Both ends at about the same moment."""

    sender: InterfaceStatistics
    receiver: InterfaceStatistics

    def __sub__(self, other: Statistics) -> Statistics:
        """Return what was counted since `other`."""
        return Statistics(self.sender - other.sender, self.receiver - other.receiver)

    @property
    def dropped(self) -> int:
        """Return the packets that left the sender's hands and never reached XDP.

        veth counts a full ring on the sending side (veth_xmit, veth_xdp_xmit), and what the
        receiving side could not turn into a frame for XDP on that side (drivers/net/veth.c).
        """
        return self.sender.tx_dropped + self.receiver.lost


def read(interface: str) -> InterfaceStatistics:
    """Read an interface of this thread's namespace."""
    lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    columns = next(
        rest.split()
        for name, _, rest in (x.partition(":") for x in lines)
        if name.strip() == interface
    )
    queues = _queues(interface)
    return InterfaceStatistics(
        rx_packets=int(columns[1]),
        rx_dropped=int(columns[3]),
        tx_packets=int(columns[9]),
        tx_dropped=int(columns[11]),
        xdp_packets=_sum(queues, "_xdp_packets"),
        xdp_drops=_sum(queues, "_xdp_drops"),
        lost=_sum(queues, "_drops") - _sum(queues, "_xdp_drops"),
    )


# The driver's own statistics: rx_queue_0_xdp_drops and the like.
def _queues(interface: str) -> list[tuple[str, int]]:
    from pyroute2.ethtool.ioctl import IoctlEthtool

    tool: Any = IoctlEthtool(interface)
    try:
        return [(str(name), int(value)) for name, value in tool.get_statistics()]
    finally:
        tool.close()


def _sum(queues: list[tuple[str, int]], suffix: str) -> int:
    return sum(n for name, n in queues if name.startswith("rx_queue_") and name.endswith(suffix))
