"""An answer of RTM_GETLINK, made by hand."""

from __future__ import annotations

import struct

import pytest

from lab.run.link_counters import LinkCounters, parse


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data.ljust(-(-len(data) // 4) * 4, b"\0")


def answer(*attributes: bytes) -> bytes:
    return bytes(32) + b"".join(attributes)


STATS = attribute(23, struct.pack("=24Q", *range(100, 124)))


def test_counters_are_found_among_other_attributes() -> None:
    info = attribute(18 | 0x8000, attribute(1, b"veth\0"))
    name = attribute(3, b"eth0\0")
    peer, namespace = attribute(5, struct.pack("=i", 7)), attribute(37, struct.pack("=i", 0))
    found = parse(answer(name, info, STATS, peer, namespace))
    assert found == LinkCounters("veth", 106, 107, 115, peer=7, peer_namespace=0)


def test_hardware_has_no_kind_and_no_peer() -> None:
    assert parse(answer(STATS)) == LinkCounters("", 106, 107, 115)


@pytest.mark.parametrize("rest", [b"\x02\x00", b"\x00\x00\x00\x00", b"\x03\x00\x17\x00"])
def test_torn_attribute_ends_the_message(rest: bytes) -> None:
    assert parse(answer(STATS, rest)) == LinkCounters("", 106, 107, 115)


def test_message_without_counters_has_none() -> None:
    assert parse(answer(attribute(3, b"eth0\0"))) is None
