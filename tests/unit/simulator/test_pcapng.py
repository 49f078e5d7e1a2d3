from __future__ import annotations

import struct
from pathlib import Path

import pytest

from simulator.frames import Frames
from simulator.pcapng import to_ns
from simulator.traces import TraceError, TraceReader, read
from tests.captures import block, enhanced, interface, obsolete, option, section, simple

T_US = 1_700_000_000_123_456
T = T_US * 1000


def write(tmp_path: Path, *blocks: bytes) -> Path:
    path = tmp_path / "trace.pcapng"
    path.write_bytes(b"".join(blocks))
    return path


def contents(path: Path) -> list[tuple[int, bytes]]:
    frames = Frames.concatenate(list(read(path)))
    return [(int(frames.times_ns[i]), frames.frame(i)) for i in range(len(frames))]


def error(path: Path) -> str:
    with pytest.raises(TraceError) as caught:
        list(read(path))
    return str(caught.value)


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_every_packet_block_is_read(tmp_path: Path, order: str) -> None:
    path = write(
        tmp_path,
        section(order=order),
        interface(order=order, snaplen=50),
        enhanced(T_US, b"e" * 21, 30, order=order, options=option(1, b"note", order=order)),
        simple(b"s" * 17, 17, order=order),
        simple(b"t" * 50, 60, order=order),
        obsolete(T_US + 1, b"o" * 14, 14, order=order),
    )
    assert contents(path) == [
        (T, b"e" * 21 + bytes(9)),
        (T, b"s" * 17),  # no time of its own: the latest
        (T, b"t" * 50 + bytes(10)),
        (T + 1000, b"o" * 14),
    ]


def test_sections_may_differ_in_byte_order_and_forget_interfaces(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        section(order="<"),
        interface(order="<", link=101),
        enhanced(T_US, b"\x45" * 20, 20, order="<"),
        section(order=">"),
        interface(order=">"),
        enhanced(T_US, b"x" * 20, 20, order=">"),
    )
    assert [len(frame) for _, frame in contents(path)] == [34, 20]


def test_interfaces_have_their_own_link_type_and_clock(tmp_path: Path) -> None:
    shift = struct.pack("<q", -100)
    path = write(
        tmp_path,
        section(),
        interface(),
        interface(link=101, options=option(9, b"\x09")),
        interface(options=option(2, b"eth0") + option(9, b"\x83") + option(14, shift)),
        enhanced(T, b"\x60" * 40, 40, interface=1),
        enhanced(T_US, b"a" * 14, 14, interface=0),
        enhanced(200 << 3 | 4, b"b" * 14, 14, interface=2),
        obsolete(T, b"\x45" * 20, 20, interface=1),
    )
    reader = TraceReader(path)
    assert [frames.times_ns.tolist() for frames in reader] == [[T, T, 100_500_000_000, T]]
    assert reader.info.link_types == (1, 101)
    assert [len(frame) for _, frame in contents(path)] == [54, 14, 14, 34]


def test_unknown_blocks_are_passed_over_however_long(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        section(),
        block(0x0BAD, bytes(10)),
        interface(),
        block(5, b"statistics"),
        block(10, bytes(9 << 20)),  # longer than what is read at once
        enhanced(T_US, b"a" * 14, 14),
    )
    assert contents(path) == [(T, b"a" * 14)]


def test_an_idle_interface_of_another_link_type_does_no_harm(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        section(),
        interface(link=220),
        interface(),
        enhanced(T_US, b"a" * 14, 14, interface=1),
    )
    assert contents(path) == [(T, b"a" * 14)]


def test_a_packet_of_an_unsupported_link_type_is_named(tmp_path: Path) -> None:
    blocks = section(), interface(), interface(link=113), enhanced(T_US, b"a" * 14, 14)
    path = write(tmp_path, *blocks, enhanced(T_US, b"a" * 14, 14, interface=1))
    assert f"{path}: packet 2, byte 116: unsupported link type 113; " in error(path)


@pytest.mark.parametrize(
    "bad",
    [
        enhanced(T_US, b"a" * 14, 14, interface=7),
        enhanced(T_US, b"a" * 14, 14).replace(b"\x0e\0\0\0", b"\xff\0\0\0", 1),
        enhanced(T_US, b"a" * 14, 14)[:-4] + b"\xff\0\0\0",
        struct.pack("<II", 6, 8) + bytes(8),
        struct.pack("<II", 6, 0xFFFFFFF0) + bytes(24),
        struct.pack("<II", 0x0BAD, 13) + bytes(8),
        section()[:8] + bytes(20),
        section()[:4] + struct.pack("<I", 16) + section()[8:],
    ],
    ids=[
        "interface",
        "captured",
        "trailer",
        "short",
        "long",
        "odd",
        "byte order",
        "section length",
    ],
)
def test_a_corrupt_block_is_named_after_the_packets_before(tmp_path: Path, bad: bytes) -> None:
    path = write(tmp_path, section(), interface(), enhanced(T_US, b"a" * 14, 14), bad)
    reader, got = TraceReader(path), []
    with pytest.raises(TraceError, match="packet 2, byte 96: corrupt block") as caught:
        got.extend(len(frames) for frames in reader)
    assert got == [1]
    assert caught.value.try_ == "capture again, or cut the file before it"


def test_another_version_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, section(version=2))
    assert error(path) == f"{path}: packet 1, byte 0: pcapng version 2.0; save it as 1.0"


@pytest.mark.parametrize("cut", [1, 4, 11, 25, 47])
def test_a_file_cut_in_a_block_is_named(tmp_path: Path, cut: int) -> None:
    whole = section() + interface() + enhanced(T_US, b"a" * 14, 14)
    path = write(tmp_path, whole, enhanced(T_US, b"b" * 14, 14)[:-cut])
    text = "the file ends in the middle of a record (whole packets before: 1)"
    assert error(path) == f"{path}: packet 2, byte 96: {text}; get the whole file again"


def test_a_file_cut_in_an_unknown_block_is_named(tmp_path: Path) -> None:
    whole = section() + interface() + enhanced(T_US, b"a" * 14, 14)
    path = write(tmp_path, whole, block(0x0BAD, bytes(100))[:-50])
    assert "the file ends in the middle of a record (whole packets before: 1)" in error(path)


@pytest.mark.parametrize(
    ("stamp", "binary", "exponent", "expected"),
    [
        (7, 0, 0, 7_000_000_000),
        (7, 0, 6, 7_000),
        (7, 0, 9, 7),
        (7_999, 0, 12, 7),
        (2**64 - 1, 0, 127, 0),
        (3, 1, 1, 1_500_000_000),
        (2**20 + 1, 1, 20, 1_000_000_953),
        ((5 << 32) | 1 << 31, 1, 32, 5_500_000_000),
        (2**40 + 2**39, 1, 40, 1_500_000_000),
        (2**63, 1, 63, 1_000_000_000),
        (2**63, 1, 64, 500_000_000),
        (2**63, 1, 127, 0),
    ],
)
def test_to_ns_converts_every_resolution(
    stamp: int, binary: int, exponent: int, expected: int
) -> None:
    import numpy as np

    assert to_ns(np.uint64(stamp), binary, exponent) == expected
