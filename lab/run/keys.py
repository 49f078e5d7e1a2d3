"""Keys as people write them: an address, or a 5-tuple as SOURCE:PORT-DESTINATION:PORT/PROTOCOL."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.layout import FLOW_KEY, Key

EXAMPLES = {
    "src": "192.0.2.7 or 2001:db8::7",
    "flow": "192.0.2.7:40000-198.51.100.1:443/tcp or [2001:db8::7]:40000-[2001:db8::1]:443/udp",
}
# Those that have names in people's heads; IANA's numbers for all others.
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "icmpv6": 58, "sctp": 132}
_NAMES = {number: name for name, number in PROTOCOLS.items()}
_FLOW = re.compile(r"(\S+?)\s*(?:->|-|>)\s*(\S+?)\s*/\s*(\w+)")
_SIX = re.compile(r"\[([^]]+)\](?::(\d+))?")
_FOUR = re.compile(r"([^:]+)(?::(\d+))?")
_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 as ::ffff:a.b.c.d: RFC 4291, section 2.5.5.2


def parse(text: str, key: Key) -> NDArray[np.uint64]:
    """Return the key that `text` means, uint64 (w,); a ValueError says how to write one."""
    try:
        raw = _address(text.strip()) if key.name == "src" else _flow(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no {key.name} key: write {EXAMPLES[key.name]}") from error
    return np.frombuffer(raw, np.uint64)


def text_of(words: NDArray[np.uint64], key: Key) -> str:
    """Return a key, uint64 (w,), as `parse` takes it."""
    return _text(words.tobytes(), key.name)


# The same keys are on top for many epochs.
@lru_cache(512)
def _text(raw: bytes, name: str) -> str:
    if name == "src":
        return str(_ip(raw))
    fields = np.frombuffer(raw, FLOW_KEY)[0]
    source = _endpoint(fields["source"].tobytes(), int(fields["sport"]))
    destination = _endpoint(fields["destination"].tobytes(), int(fields["dport"]))
    protocol = int(fields["protocol"])
    return f"{source}-{destination}/{_NAMES.get(protocol, protocol)}"


def _endpoint(address: bytes, port: int) -> str:
    ip = _ip(address)
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"


def _ip(address: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    six = ipaddress.IPv6Address(address)
    return six.ipv4_mapped or six


def _address(text: str) -> bytes:
    ip = ipaddress.ip_address(text)
    return _MAPPED + ip.packed if ip.version == 4 else ip.packed


def _flow(text: str) -> bytes:
    match = _FLOW.fullmatch(text)
    if not match:
        raise ValueError(text)
    record = np.zeros((), FLOW_KEY)
    for side, port, written in (
        ("source", "sport", match[1]),
        ("destination", "dport", match[2]),
    ):
        address, record[port] = _parsed_endpoint(written)
        record[side] = np.frombuffer(address, np.uint8)
    record["protocol"] = _number(PROTOCOLS.get(match[3].lower(), match[3]), 255)
    return record.tobytes()


def _parsed_endpoint(text: str) -> tuple[bytes, int]:
    match = _SIX.fullmatch(text) or _FOUR.fullmatch(text)
    if not match:
        raise ValueError(text)
    return _address(match[1]), _number(match[2] or 0, 65535)


def _number(text: str | int, largest: int) -> int:
    number = int(text)
    if not 0 <= number <= largest:
        raise ValueError(f"{number} is not from 0 to {largest}")
    return number
