"""Where metrics are served."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL = "127.0.0.1"  # what a port alone means


@dataclass(frozen=True)
class Address:
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as a URL has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return what `HOST:PORT` or `PORT` means; a ValueError says how to write one."""
    host, _, port = text.rpartition(":")
    bare_ipv6 = ":" in host and not host.startswith("[")
    if not port.isdecimal() or int(port) > 65535 or bare_ipv6:
        raise ValueError(f"{text!r} is no address: write PORT, HOST:PORT or [IPV6]:PORT")
    return Address(host.strip("[]") or LOCAL, int(port))
