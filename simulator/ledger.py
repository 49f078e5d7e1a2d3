"""The packet accounts of an epoch, and their check against the sums of what was stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.exact_table import BYTES, PACKETS
from simulator.glimpse import Retired


@dataclass(frozen=True)
class Ledger:
    """Packets and bytes of one epoch, over all instances."""

    seen: int
    seen_bytes: int
    exact: int
    sketched: int
    not_ip: int
    malformed: int
    difference: int  # packets that are in one account and not in the other; always 0
    byte_difference: int

    def __add__(self, other: Ledger) -> Ledger:
        """Add two epochs up; differences never cancel out."""
        return Ledger(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))


EMPTY = Ledger(0, 0, 0, 0, 0, 0, 0, 0)


def balance(retired: Retired) -> Ledger:
    """Add up an epoch: its counters, and what the tables and the TFMs really hold."""
    headers = retired.headers
    total = {
        name: int(headers[name].sum()) for name in headers.dtype.names or () if name != "hash_key"
    }
    heavy = retired.heavy
    stored_packets = sum(int(h.packets.sum()) for h in heavy) + total["light_packets"]
    stored_bytes = sum(int(h.bytes.sum()) for h in heavy) + total["light_bytes"]
    exact_packets = int(retired.exact_records[:, PACKETS].sum(dtype=np.uint64))
    exact_bytes = int(retired.exact_records[:, BYTES].sum(dtype=np.uint64))
    accounted = total["exact"] + total["sketched"] + total["not_ip"] + total["malformed"]
    accounted_bytes = total["exact_bytes"] + total["sketched_bytes"] + total["other_bytes"]
    return Ledger(
        seen=total["seen"],
        seen_bytes=total["seen_bytes"],
        exact=total["exact"],
        sketched=total["sketched"],
        not_ip=total["not_ip"],
        malformed=total["malformed"],
        difference=abs(total["seen"] - accounted)
        + abs(total["exact"] - exact_packets)
        + abs(total["sketched"] - stored_packets),
        byte_difference=abs(total["seen_bytes"] - accounted_bytes)
        + abs(total["exact_bytes"] - exact_bytes)
        + abs(total["sketched_bytes"] - stored_bytes),
    )
