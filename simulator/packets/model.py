"""A crafted frame, and what a parser must make of it."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.layout import Outcome


@dataclass(frozen=True)
class Expected:
    """What a frame holds; only the outcome counts where it is not IP."""

    outcome: Outcome
    source: bytes = bytes(16)  # IPv4 as ::ffff:a.b.c.d
    destination: bytes = bytes(16)
    sport: int = 0
    dport: int = 0
    protocol: int = 0

    @property
    def flow_key(self) -> bytes:
        """Return struct flow_key, 40 bytes."""
        ports = self.sport.to_bytes(2, "big") + self.dport.to_bytes(2, "big")
        return self.source + self.destination + ports + bytes((self.protocol, 0, 0, 0))


@dataclass(frozen=True)
class Crafted:
    """A frame with a name for test reports; nothing is expected where scapy cannot tell."""

    name: str
    frame: bytes
    expected: Expected | None
