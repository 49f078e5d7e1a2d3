from __future__ import annotations

import struct

import pytest

from lab.errors import UsageError_
from lab.libbpf import knobs
from lab.libbpf.btf import Btf


class Writer:
    """Write BTF by hand, as the kernel's Documentation/bpf/btf.rst describes it."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.types = b""
        self.strings = b"\0"

    def name(self, text: str) -> int:
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at if text else 0

    def add(
        self, name: str, kind: int, size: int, *tail: int, vlen: int = 0, flag: int = 0
    ) -> None:
        info = flag << 31 | kind << 24 | vlen
        words = (self.name(name), info, size, *tail)
        self.types += struct.pack(f"{self.order}{len(words)}I", *(w & 0xFFFFFFFF for w in words))

    def raw(self) -> bytes:
        sizes = (0, len(self.types), len(self.types), len(self.strings))
        head = struct.pack(f"{self.order}HBBI4I", 0xEB9F, 1, 0, 24, *sizes)
        return head + self.types + self.strings


INT, ARRAY, STRUCT, ENUM, TYPEDEF, VOLATILE, CONST, VAR, DATASEC, ENUM64 = (
    1, 3, 4, 6, 8, 9, 10, 14, 15, 19,
)  # fmt: skip


def small(order: str = "<") -> Btf:
    w = Writer(order)
    w.add("u32", INT, 4, 32)  # 1
    w.add("s16", INT, 2, 1 << 24 | 16)  # 2
    w.add("", ARRAY, 0, 1, 1, 3)  # 3: u32[3]
    members = (w.name("a"), 1, 0, w.name("b"), 2, 32, w.name("c"), 3, 64)
    w.add("pair", STRUCT, 20, *members, vlen=3)  # 4
    w.add("color", ENUM, 4, w.name("RED"), -1, w.name("BLUE"), 7, vlen=2, flag=1)  # 5
    w.add("big", ENUM64, 8, w.name("HUGE"), 1, 2, vlen=1)  # 6
    w.add("pair_t", TYPEDEF, 4)  # 7
    w.add("", CONST, 8 + 1)  # 8 -> 9
    w.add("", VOLATILE, 7)  # 9 -> 7
    w.add("config", VAR, 8, 1)  # 10
    w.add("color_knob", VAR, 5, 1)  # 11
    w.add(".rodata", DATASEC, 24, 10, 0, 20, 11, 20, 4, vlen=2)  # 12
    w.add("bits", STRUCT, 4, w.name("x"), 1, 3 << 24, vlen=1, flag=1)  # 13
    w.add("bits_knob", VAR, 13, 1)  # 14
    w.add(".data", DATASEC, 4, 14, 0, 4, vlen=1)  # 15
    return Btf(w.raw())


def test_sizes_and_offsets_are_read() -> None:
    btf = small()
    assert btf.struct("pair").size == 20
    assert btf.offsets("pair") == {"a": 0, "b": 4, "c": 8}
    assert btf.size_of(3) == 12


def test_struct_is_found_behind_its_typedef() -> None:
    assert small().struct("pair_t").name == "pair"
    assert small().size_of(8) == 20


def test_enum_values_are_read() -> None:
    assert small().enum("color") == {"RED": -1, "BLUE": 7}
    assert small().enum("big") == {"HUGE": 2 << 32 | 1}


def test_unknown_type_is_named() -> None:
    with pytest.raises(KeyError, match="no type 'ghost'"):
        small().struct("ghost")


def test_other_byte_order_is_read() -> None:
    assert small(">").offsets("pair") == {"a": 0, "b": 4, "c": 8}
    assert small(">").byteorder == "big"


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not BTF"):
        Btf(bytes(100))


def test_knob_is_found_by_name() -> None:
    assert knobs.find(small(), "color_knob") == (".rodata", 20, 5)


def test_unknown_knob_names_those_there_are() -> None:
    with pytest.raises(UsageError_, match="no knob 'ghost'") as got:
        knobs.find(small(), "ghost")
    assert got.value.try_ == "one of its knobs: bits_knob, color_knob, config"


def test_knob_is_stored_through_its_qualifiers() -> None:
    memory = bytearray(24)
    knobs.store(small(), memory, 0, 8, {"a": 1, "b": -2, "c": [3, 4]}, "config")
    assert struct.unpack("<IhxxIII", memory[:20]) == (1, -2, 3, 4, 0)


def test_knob_is_stored_in_the_objects_byte_order() -> None:
    memory = bytearray(4)
    knobs.store(small(">"), memory, 0, 1, 1, "x")
    assert memory == b"\0\0\0\1"


def test_negative_enum_value_is_stored() -> None:
    memory = bytearray(4)
    knobs.store(small(), memory, 0, 5, -1, "color")
    assert memory == b"\xff" * 4


def test_bit_field_is_refused() -> None:
    with pytest.raises(UsageError_, match=r"knob k\.x is a bit field"):
        knobs.store(small(), bytearray(4), 0, 13, {"x": 1}, "k")
