"""Read frames with scapy's layers alone: a reader independent of the parser and its twin."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from simulator.layout import EXTENSION_HEADERS, VLAN_TAGS, Outcome
from simulator.packets.model import Expected

if TYPE_CHECKING:
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Packet

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60
_IPV6_HEADER = 40
_MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291, section 2.5.5.2
_NOT_IP = Expected(Outcome.NOT_IP)
_MALFORMED = Expected(Outcome.MALFORMED)


def dissect(frame: bytes) -> Expected | None:
    """Say what a frame holds; None where scapy gives up on bytes that a parser can still read."""
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

    if len(frame) < 14:
        return _NOT_IP
    link: Packet = Ether(frame)
    for _ in range(VLAN_TAGS):
        if isinstance(link.payload, Dot1Q | Dot1AD):
            link = link.payload
    kind = getattr(link, "type", None)  # Dot3, scapy's name for a small EtherType, has none
    if kind == 0x0800:
        return _ipv4(link.payload) if isinstance(link.payload, IP) else _MALFORMED
    if kind == 0x86DD:
        if isinstance(link.payload, IPv6):
            return _ipv6(link.payload)
        # Whole headers that scapy still gives up on have an extension header that is cut short.
        return _MALFORMED if len(link.payload) < _IPV6_HEADER else None
    return _NOT_IP


def _ipv4(ip: IP) -> Expected:
    header = ip.ihl * 4
    if ip.version != 4 or header < 20 or header > len(ip.original):
        return _MALFORMED
    sport, dport = _ports(ip.payload) if ip.frag == 0 else (0, 0)
    source, destination = (_MAPPED + IPv4Address(address).packed for address in (ip.src, ip.dst))
    return Expected(Outcome.IP, source, destination, sport, dport, ip.proto)


def _ipv6(ip: IPv6) -> Expected | None:
    if ip.version != 6:
        return _MALFORMED
    rest = _after_extensions(ip)
    if rest is None:
        return None
    protocol, l4 = rest
    sport, dport = _ports(l4) if l4 is not None else (0, 0)
    source, destination = (IPv6Address(address).packed for address in (ip.src, ip.dst))
    return Expected(Outcome.IP, source, destination, sport, dport, protocol)


def _after_extensions(ip: IPv6) -> tuple[int, Packet | None] | None:
    """Return the last protocol number, and layer 4 if it is the whole datagram's."""
    from scapy.layers import inet6

    kinds: dict[int, Any] = {
        _HOP_BY_HOP: inet6.IPv6ExtHdrHopByHop,
        _ROUTING: (inet6.IPv6ExtHdrRouting, inet6.IPv6ExtHdrSegmentRouting),
        _FRAGMENT: inet6.IPv6ExtHdrFragment,
        _DESTINATION: inet6.IPv6ExtHdrDestOpt,
    }
    if ip.plen == 0:
        return None  # scapy sees an empty payload where the frame is the bound
    protocol, layer = ip.nh, ip.payload
    for _ in range(EXTENSION_HEADERS):
        if protocol not in kinds:
            return protocol, layer
        header = layer.original
        if _is_cut(protocol, header):  # scapy would fill in what it lacks
            whole_start = len(header) >= 2 and protocol != _FRAGMENT
            return (header[0] if whole_start else protocol), None
        if not isinstance(layer, kinds[protocol]):
            return None
        protocol = layer.nh
        if isinstance(layer, inet6.IPv6ExtHdrFragment) and layer.offset > 0:
            return protocol, None
        layer = layer.payload
    return protocol, (None if protocol in kinds else layer)


def _is_cut(protocol: int, header: bytes) -> bool:
    whole = 8 if protocol == _FRAGMENT or len(header) < 2 else (header[1] + 1) * 8
    return len(header) < whole


def _ports(l4: Packet) -> tuple[int, int]:
    from scapy.layers.inet import ICMP, TCP, UDP
    from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest
    from scapy.layers.sctp import SCTP

    if isinstance(l4, TCP | UDP | SCTP):
        return l4.sport, l4.dport
    if isinstance(l4, ICMP) and l4.type in (0, 8):
        return l4.id, 0
    if isinstance(l4, ICMPv6EchoRequest | ICMPv6EchoReply):
        return l4.id, 0
    return 0, 0
