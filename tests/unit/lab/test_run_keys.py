"""Keys as text: what is printed can be asked for again."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.run.keys import EXAMPLES, parse, text_of
from lab.run.queries import MOST, Queries
from simulator.layout import FLOW, FLOW_KEY, KEYS, SRC, Key

addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    return bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed


@given(addresses)
def test_address_is_read_as_it_is_written(address: ipaddress.IPv4Address) -> None:
    words = np.frombuffer(mapped(address), np.uint64)
    assert (parse(text_of(words, SRC), SRC) == words).all()


@given(addresses, addresses, st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 255))
def test_flow_is_read_as_it_is_written(
    source: ipaddress.IPv4Address,
    destination: ipaddress.IPv4Address,
    sport: int,
    dport: int,
    protocol: int,
) -> None:
    record = np.zeros((), FLOW_KEY)
    record["source"] = np.frombuffer(mapped(source), np.uint8)
    record["destination"] = np.frombuffer(mapped(destination), np.uint8)
    record["sport"], record["dport"], record["protocol"] = sport, dport, protocol
    words = np.frombuffer(record.tobytes(), np.uint64)
    assert (parse(text_of(words, FLOW), FLOW) == words).all()


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("10.0.0.1:5 > 10.0.0.2:80 / TCP", "10.0.0.1:5-10.0.0.2:80/tcp"),
        ("[2001:db8::7]:5->[::1]:443/udp", "[2001:db8::7]:5-[::1]:443/udp"),
        ("10.0.0.1-10.0.0.2/47", "10.0.0.1:0-10.0.0.2:0/gre"),
    ],
)
def test_flow_may_be_typed_in_several_ways(typed: str, written: str) -> None:
    assert text_of(parse(typed, FLOW), FLOW) == written


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_examples_are_keys(key: Key) -> None:
    for example in EXAMPLES[key.name].split(" or "):
        assert text_of(parse(example, key), key) == example


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("10.0.0", SRC),
        ("10.0.0.1:5-10.0.0.2:80/tcp", SRC),
        ("10.0.0.1", FLOW),
        ("10.0.0.1:99999-10.0.0.2:80/tcp", FLOW),
        ("10.0.0.1:1-10.0.0.2:80/300", FLOW),
        ("10.0.0.1:1-10.0.0.2:80/what", FLOW),
        ("", SRC),
    ],
)
def test_what_is_no_key_is_told_how_to_write_one(text: str, key: Key) -> None:
    with pytest.raises(ValueError, match=r"is no .* key: write ") as raised:
        parse(text, key)
    assert str(raised.value) == f"{text!r} is no {key.name} key: write {EXAMPLES[key.name]}"


def test_queries_keep_their_order_and_each_key_once() -> None:
    queries = Queries(SRC, ("10.0.0.2", "10.0.0.1", "10.0.0.2"))
    assert queries.names == ["10.0.0.2", "10.0.0.1"]


def test_queries_are_so_many_at_most() -> None:
    queries = Queries(SRC, tuple(f"10.0.0.{i}" for i in range(MOST)))
    with pytest.raises(ValueError, match="100 keys are asked for already"):
        queries.add("10.0.1.1")
