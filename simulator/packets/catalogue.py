"""The catalogue: every kind of frame that the parser must get right, by name.

Add a kind: a function that yields (name, scapy packet or bytes[, what to expect]), and its name in
CRAFTERS. Without a third value the expectation is what scapy itself reads in the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from simulator.frames import Frames
from simulator.layout import Outcome
from simulator.packets.dissection import dissect
from simulator.packets.model import Crafted, Expected

if TYPE_CHECKING:
    from scapy.packet import Packet

Item = tuple[str, "Packet | bytes"] | tuple[str, "Packet | bytes", Expected | None]

_MALFORMED = Expected(Outcome.MALFORMED)
_NOT_IP = Expected(Outcome.NOT_IP)
_JUMBO = 9014
_LONGEST = 65_535 + 14


def _ether(kind: int | None = None) -> Packet:
    from scapy.layers.l2 import Ether

    addresses: dict[str, Any] = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
    return Ether(**addresses) if kind is None else Ether(**addresses, type=kind)


def _ipv4(rng: Generator, **fields: Any) -> Packet:
    from scapy.layers.inet import IP

    a, b = (".".join(map(str, rng.integers(1, 224, 4))) for _ in range(2))
    whole: dict[str, Any] = {"src": a, "dst": b, "id": 1} | fields
    return IP(**whole)


def _ipv6(rng: Generator, **fields: Any) -> Packet:
    from scapy.layers.inet6 import IPv6

    a, b = (f"2001:db8::{rng.integers(65536):x}:{rng.integers(65536):x}" for _ in range(2))
    whole: dict[str, Any] = {"src": a, "dst": b} | fields
    return IPv6(**whole)


def _port(rng: Generator) -> int:
    return int(rng.integers(1, 65536))


def _tcp(rng: Generator, **fields: Any) -> Packet:
    from scapy.layers.inet import TCP

    return TCP(sport=_port(rng), dport=_port(rng), **fields)


def _udp(rng: Generator) -> Packet:
    from scapy.layers.inet import UDP

    return UDP(sport=_port(rng), dport=_port(rng))


def _transports(rng: Generator, ipv4: bool) -> Iterator[tuple[str, Packet]]:
    from scapy.layers.inet import ICMP
    from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest
    from scapy.layers.inet6 import ICMPv6ND_NS as NeighbourSolicitation
    from scapy.layers.sctp import SCTP

    yield "tcp", _tcp(rng)
    yield "tcp with options", _tcp(rng, options=[("MSS", 1460), ("NOP", None), ("WScale", 7)])
    yield "udp", _udp(rng)
    yield "udp with payload", _udp(rng) / bytes(100)
    yield "sctp", SCTP(sport=_port(rng), dport=_port(rng))
    if ipv4:
        yield "icmp echo", ICMP(type=8, id=_port(rng))
        yield "icmp echo reply", ICMP(type=0, id=_port(rng))
        yield "icmp unreachable", ICMP(type=3, code=1) / _ipv4(rng) / _udp(rng)
        yield "icmp timestamp", ICMP(type=13, id=_port(rng))
    else:
        yield "icmpv6 echo", ICMPv6EchoRequest(id=_port(rng))
        yield "icmpv6 echo reply", ICMPv6EchoReply(id=_port(rng))
        yield "icmpv6 unreachable", ICMPv6DestUnreach() / _ipv6(rng) / _udp(rng)
        yield "icmpv6 neighbour solicitation", NeighbourSolicitation(tgt="2001:db8::9")


def transports(rng: Generator) -> Iterator[Item]:
    """Craft each transport and some other protocols over both IP versions."""
    for name, l4 in _transports(rng, ipv4=True):
        yield f"ipv4 {name}", _ether() / _ipv4(rng) / l4
    for name, l4 in _transports(rng, ipv4=False):
        yield f"ipv6 {name}", _ether() / _ipv6(rng) / l4
    for number in (2, 50, 51, 88, 89, 103, 112, 115, 136, 139, 253, 255):
        yield f"ipv4 protocol {number}", _ether() / _ipv4(rng, proto=number) / bytes(range(24))
        yield f"ipv6 protocol {number}", _ether() / _ipv6(rng, nh=number) / bytes(range(24))
    yield "ipv4 no next header", _ether() / _ipv4(rng, proto=59)
    yield "ipv6 no next header", _ether() / _ipv6(rng, nh=59)


def tunnels(rng: Generator) -> Iterator[Item]:
    """Craft tunnels, whose outer header is the key."""
    from scapy.layers.l2 import GRE

    outer = {"ipv4": _ipv4, "ipv6": _ipv6}
    for name, ip in outer.items():
        yield f"{name} in gre", _ether() / ip(rng) / GRE() / _ipv4(rng) / _tcp(rng)
        yield f"ipv4 in {name}", _ether() / ip(rng) / _ipv4(rng) / _tcp(rng)
        yield f"ipv6 in {name}", _ether() / ip(rng) / _ipv6(rng) / _udp(rng)


def tags(rng: Generator) -> Iterator[Item]:
    """Craft zero to four VLAN tags of both kinds."""
    from scapy.layers.l2 import Dot1AD, Dot1Q

    kinds = {"q": Dot1Q, "ad": Dot1AD}
    for order in ("q", "ad", "q q", "ad q", "q ad", "ad ad", "q q q", "ad ad q", "q q q q"):
        for name, ip in (("ipv4", _ipv4), ("ipv6", _ipv6)):
            packet = _ether()
            for tag in order.split():
                packet /= kinds[tag](vlan=int(rng.integers(1, 4095)))
            yield f"tags {order}, {name}", packet / ip(rng) / _udp(rng)
    yield "tag, arp", _ether() / Dot1Q(vlan=1, type=0x0806) / bytes(28)
    yield "tag of an unknown kind", _ether(0x9100) / bytes(40)


def not_ip(rng: Generator) -> Iterator[Item]:
    """Craft frames without an IP header that counts."""
    from scapy.layers.l2 import ARP, LLC, SNAP, Dot3
    from scapy.layers.ppp import PPP, PPPoE, PPPoED

    yield "arp", _ether() / ARP(psrc="192.0.2.1", pdst="192.0.2.2", hwsrc="02:00:00:00:00:01")
    yield "mpls", _ether(0x8847) / bytes.fromhex("00010140") / _ipv4(rng) / _tcp(rng)
    yield "pppoe session", _ether() / PPPoE(sessionid=1) / PPP() / _ipv4(rng) / _udp(rng)
    yield "pppoe discovery", _ether() / PPPoED() / bytes(20)
    yield "802.3", Dot3(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / LLC() / SNAP()
    for kind in (0, 0x0801, 0x86DC, 0x88CC, 0xFFFF):
        yield f"ethertype {kind:#06x}", _ether(kind) / bytes(46)


def ipv4_headers(rng: Generator) -> Iterator[Item]:
    """Craft every IHL, version and odd total length."""
    from scapy.layers.inet import IPOption_NOP

    for ihl in range(5, 16):
        options = [IPOption_NOP()] * (4 * (ihl - 5))
        yield f"ipv4 ihl {ihl}", _ether() / _ipv4(rng, options=options) / _udp(rng)
        cut = bytes(_ether() / _ipv4(rng, ihl=ihl) / bytes(4 * (ihl - 5)))
        yield f"ipv4 ihl {ihl}, nothing after", cut
        yield f"ipv4 ihl {ihl}, header cut", cut[:-1]
    for ihl in range(5):
        yield f"ipv4 ihl {ihl}", _ether() / _ipv4(rng, ihl=ihl) / _udp(rng), _MALFORMED
    for version in (*range(4), *range(5, 16)):
        packet = _ether(0x0800) / _ipv4(rng, version=version) / _udp(rng)
        yield f"ipv4 version {version}", packet, _MALFORMED
    for total in (0, 1, 19, 20, 21, 27, 28, 29, 39, 40, 41, 100, 1500, 65535):
        yield f"ipv4 udp, total length {total}", _ether() / _ipv4(rng, len=total) / _udp(rng)
        yield f"ipv4 tcp, total length {total}", _ether() / _ipv4(rng, len=total) / _tcp(rng)


def ipv6_headers(rng: Generator) -> Iterator[Item]:
    """Craft every version and odd payload length."""
    for version in (*range(6), *range(7, 16)):
        packet = _ether(0x86DD) / _ipv6(rng, version=version) / _udp(rng)
        yield f"ipv6 version {version}", packet, _MALFORMED
    for payload in (1, 7, 8, 9, 19, 20, 21, 100, 1500, 65535):
        yield f"ipv6 udp, payload length {payload}", _ether() / _ipv6(rng, plen=payload) / _udp(rng)
        yield f"ipv6 tcp, payload length {payload}", _ether() / _ipv6(rng, plen=payload) / _tcp(rng)
    whole = _ether() / _ipv6(rng) / _udp(rng)
    expected = dissect(bytes(whole))
    whole.payload.plen = 0
    yield "ipv6 udp, payload length 0", whole, expected


def fragments(rng: Generator) -> Iterator[Item]:
    """Craft first and later fragments."""
    from scapy.layers.inet6 import IPv6ExtHdrFragment

    for more in (0, 1):
        for offset in (0, 1, 2, 185, 4096, 8191):
            name = f"offset {offset}, more {more}"
            packet = _ether() / _ipv4(rng, flags=more, frag=offset) / _tcp(rng)
            yield f"ipv4 fragment {name}", packet
            packet = _ether() / _ipv6(rng) / IPv6ExtHdrFragment(offset=offset, m=more) / _tcp(rng)
            yield f"ipv6 fragment {name}", packet
    yield "ipv4 don't fragment", _ether() / _ipv4(rng, flags="DF") / _udp(rng)
    yield "ipv4 evil bit", _ether() / _ipv4(rng, flags="evil") / _udp(rng)


def _extension(rng: Generator, kind: str) -> Packet:
    from scapy.layers import inet6

    padding = [inet6.PadN(optdata=bytes(4 + 8 * int(rng.integers(3))))]
    makers: dict[str, Callable[[], Packet]] = {
        "hop-by-hop": lambda: inet6.IPv6ExtHdrHopByHop(options=padding),
        "destination": lambda: inet6.IPv6ExtHdrDestOpt(options=padding),
        "routing": lambda: inet6.IPv6ExtHdrRouting(
            addresses=["2001:db8::7"] * int(rng.integers(3))
        ),
        "fragment": lambda: inet6.IPv6ExtHdrFragment(m=1),
    }
    return makers[kind]()


def extension_chains(rng: Generator) -> Iterator[Item]:
    """Craft chains of 0 to 8 IPv6 extension headers, of one kind and mixed."""
    kinds = ("hop-by-hop", "routing", "destination", "fragment")
    for kind in (*kinds, "mixed"):
        for count in range(9):
            for name, l4 in _transports(rng, ipv4=False):
                if name not in ("tcp", "udp", "icmpv6 echo"):
                    continue
                packet = _ether() / _ipv6(rng)
                for _ in range(count):
                    packet /= _extension(rng, str(rng.choice(kinds)) if kind == "mixed" else kind)
                yield f"ipv6 {count} {kind} headers, {name}", packet / l4
    yield from _long_extensions(rng)


def _long_extensions(rng: Generator) -> Iterator[Item]:
    from scapy.layers.inet6 import IPv6ExtHdrDestOpt, PadN

    longest = [PadN(optdata=bytes(253))] * 8 + [PadN(optdata=bytes(4))]  # 2,048 bytes in all
    for count in range(1, 7):
        packet = _ether() / _ipv6(rng)
        for _ in range(count):
            packet /= IPv6ExtHdrDestOpt(options=longest)
        yield f"ipv6 {count} longest destination headers", packet / _udp(rng)
    for size in (1, 2, 200, 255):
        ip = _ipv6(rng, nh=60)
        source, destination = IPv6Address(ip.src).packed, IPv6Address(ip.dst).packed
        # Even where the header fits (size 1), no layer 4 comes after it.
        expected = Expected(Outcome.IP, source, destination, protocol=17)
        name = f"ipv6 destination header of {8 * size + 8} bytes in 16"
        yield name, _ether() / ip / bytes((17, size)) / bytes(14), expected


def jumbo(rng: Generator) -> Iterator[Item]:
    """Craft frames around the sizes where drivers and test_run change their ways."""
    for length in (60, 64, 1514, 1518, 3520, 3521, 4096, 4097, _JUMBO, _LONGEST):
        for name, ip, header in (("ipv4", _ipv4, 20), ("ipv6", _ipv6, 40)):
            payload = length - 14 - header - 8
            if payload < 0 or (name == "ipv6" and length == 60):
                continue
            yield f"{name} udp of {length} bytes", _ether() / ip(rng) / _udp(rng) / bytes(payload)


def noise(rng: Generator) -> Iterator[Item]:
    """Craft random bytes, with and without an EtherType that promises more."""
    for i in range(64):
        size = int(rng.integers(14, 200))
        yield f"random bytes {i}", rng.bytes(size), None
        kind = (b"\x08\0", b"\x86\xdd", b"\x81\0", b"\x88\xa8")[i % 4]
        yield f"random bytes {i} after {kind.hex()}", rng.bytes(12) + kind + rng.bytes(size), None


CRAFTERS: tuple[Callable[[Generator], Iterable[Item]], ...] = (
    transports,
    tunnels,
    tags,
    not_ip,
    ipv4_headers,
    ipv6_headers,
    fragments,
    extension_chains,
    jumbo,
    noise,
)
# Each is also cut at every offset from 14 bytes on.
CUT = (
    "ipv4 tcp with options",
    "ipv4 udp",
    "ipv4 sctp",
    "ipv4 icmp echo",
    "ipv4 ihl 15",
    "ipv6 tcp",
    "ipv6 icmpv6 echo",
    "tags ad q, ipv4",
    "tags q q, ipv6",
    "tags q q q, ipv4",
    "ipv6 3 mixed headers, udp",
    "ipv6 6 fragment headers, tcp",
    "ipv6 7 hop-by-hop headers, udp",
    "ipv6 fragment offset 0, more 1",
    "arp",
)


def catalogue(seed: int | Generator) -> list[Crafted]:
    """Craft every kind of frame; the same for the same seed."""
    rng = np.random.default_rng(seed)
    crafted = [_crafted(*item) for crafter in CRAFTERS for item in crafter(rng)]
    by_name = {one.name: one for one in crafted}
    for name in CUT:
        frame = by_name[name].frame
        crafted += [
            _crafted(f"{name}, cut at {size}", frame[:size]) for size in range(14, len(frame))
        ]
    return crafted


def frames_of(crafted: Iterable[Crafted]) -> Frames:
    """Pack crafted frames; zeros at their ends take no memory."""
    whole = [one.frame for one in crafted]
    return Frames.from_bytes(
        [frame.rstrip(b"\0") for frame in whole], lengths=[len(frame) for frame in whole]
    )


def _crafted(name: str, packet: Packet | bytes, *expected: Expected | None) -> Crafted:
    frame = bytes(packet)
    return Crafted(name, frame, expected[0] if expected else dissect(frame))
