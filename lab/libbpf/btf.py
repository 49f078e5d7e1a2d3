"""Read BTF: sizes, member offsets and enum values of what an object declares.

The format is the kernel's (Documentation/bpf/btf.rst); this parser needs no libbpf.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

MAGIC = 0xEB9F
INT, PTR, ARRAY, STRUCT, UNION, ENUM = 1, 2, 3, 4, 5, 6
TYPEDEF, VOLATILE, CONST, RESTRICT = 8, 9, 10, 11
VAR, DATASEC, FLOAT, TYPE_TAG, ENUM64 = 14, 15, 16, 18, 19
_SEE_THROUGH = {TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG}
# Bytes after the 12-byte head of a type: a fixed part, and a part for each of its `vlen` members.
_TAIL = {
    INT: (4, 0),
    ARRAY: (12, 0),
    STRUCT: (0, 12),
    UNION: (0, 12),
    ENUM: (0, 8),
    13: (0, 8),  # FUNC_PROTO
    VAR: (4, 0),
    DATASEC: (0, 12),
    17: (4, 0),  # DECL_TAG
    ENUM64: (0, 12),
}


@dataclass(frozen=True)
class Member:
    """One member of a struct or union; `offset` and `bits` in bits, `bits` 0 if no bit field."""

    name: str
    type: int
    offset: int
    bits: int = 0


@dataclass(frozen=True)
class Type:
    """One BTF type; which fields mean something depends on its kind."""

    id: int
    kind: int
    name: str
    size: int = 0  # bytes
    target: int = 0  # of pointers, qualifiers, arrays, variables
    count: int = 0  # array elements
    signed: bool = False
    members: tuple[Member, ...] = ()
    values: dict[str, int] = field(default_factory=dict)  # of an enum
    variables: tuple[tuple[int, int, int], ...] = ()  # of a section: type, offset, size


class Btf:
    """All types of one object."""

    def __init__(self, data: bytes) -> None:
        """Parse the raw contents of a `.BTF` section."""
        self._order = "<" if data[:2] == MAGIC.to_bytes(2, "little") else ">"
        magic, _, _, header = self._unpack("HBBI", data, 0)
        if magic != MAGIC:
            raise ValueError("not BTF: it does not begin with 0xeb9f")
        types_at, types_length, strings_at, strings_length = self._unpack("IIII", data, 8)
        begin = header + strings_at
        self._strings = data[begin : begin + strings_length]
        begin = header + types_at
        self.types = self._parse(data[begin : begin + types_length])

    @property
    def byteorder(self) -> str:
        """Return `little` or `big`."""
        return "little" if self._order == "<" else "big"

    @cached_property
    def sections(self) -> dict[str, Type]:
        """Return the data sections (`.rodata`, `.bss`, ...) by name."""
        return {t.name: t for t in self.types if t.kind == DATASEC}

    def struct(self, name: str) -> Type:
        """Return a struct or union by its tag or typedef; KeyError where there is none."""
        return self._named(name, (STRUCT, UNION))

    def enum(self, name: str) -> dict[str, int]:
        """Return the values of an enum by its tag; KeyError where there is none."""
        return dict(self._named(name, (ENUM, ENUM64)).values)

    def offsets(self, name: str) -> dict[str, int]:
        """Return member offsets of a struct, in bytes."""
        return {m.name: m.offset // 8 for m in self.struct(name).members}

    def size_of(self, type_id: int) -> int:
        """Return the size of a type in bytes."""
        found = self.resolve(type_id)
        if found.kind == ARRAY:
            return found.count * self.size_of(found.target)
        return 8 if found.kind == PTR else found.size

    def resolve(self, type_id: int) -> Type:
        """Return a type behind its typedefs and qualifiers."""
        found = self.types[type_id]
        while found.kind in _SEE_THROUGH:
            found = self.types[found.target]
        return found

    def _named(self, name: str, kinds: tuple[int, ...]) -> Type:
        for candidate in self.types:
            if candidate.name == name:
                found = self.resolve(candidate.id)
                if found.kind in kinds:
                    return found
        raise KeyError(f"the object's BTF has no type {name!r}")

    def _unpack(self, layout: str, data: bytes, at: int) -> tuple[Any, ...]:
        return struct.unpack_from(self._order + layout, data, at)

    def _string(self, at: int) -> str:
        return self._strings[at : self._strings.index(b"\0", at)].decode()

    def _parse(self, data: bytes) -> list[Type]:
        types, at = [Type(0, 0, "void")], 0
        while at < len(data):
            name, info, size = self._unpack("III", data, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            fixed, each = _TAIL.get(kind, (0, 0))
            length = 12 + fixed + each * count
            head = {"id": len(types), "kind": kind, "name": self._string(name)}
            body = self._body(data, at + 12, kind, count, bool(info >> 31))
            types.append(Type(**head, **({"size": size, "target": size} | body)))
            at += length
        return types

    def _body(self, data: bytes, at: int, kind: int, count: int, flag: bool) -> dict[str, Any]:
        if kind == INT:
            (encoding,) = self._unpack("I", data, at)
            return {"signed": bool(encoding >> 24 & 1)}
        if kind == ARRAY:
            target, _, elements = self._unpack("III", data, at)
            return {"target": target, "count": elements}
        if kind in (STRUCT, UNION):
            return {"members": tuple(self._members(data, at, count, flag))}
        if kind in (ENUM, ENUM64):
            return {"values": dict(self._values(data, at, kind, count, flag)), "signed": flag}
        if kind == DATASEC:
            rows = [self._unpack("III", data, at + 12 * i) for i in range(count)]
            return {"variables": tuple((t, offset, size) for t, offset, size in rows)}
        return {}

    def _members(self, data: bytes, at: int, count: int, flag: bool) -> list[Member]:
        rows = [self._unpack("III", data, at + 12 * i) for i in range(count)]
        return [
            Member(self._string(name), target, where & 0xFFFFFF, where >> 24)
            if flag
            else Member(self._string(name), target, where)
            for name, target, where in rows
        ]

    def _values(
        self, data: bytes, at: int, kind: int, count: int, flag: bool
    ) -> list[tuple[str, int]]:
        if kind == ENUM:
            rows = [self._unpack("Ii" if flag else "II", data, at + 8 * i) for i in range(count)]
            return [(self._string(name), value) for name, value in rows]
        wide = [self._unpack("III", data, at + 12 * i) for i in range(count)]
        values = [(self._string(name), high << 32 | low) for name, low, high in wide]
        return [(n, v - (1 << 64) if flag and v >> 63 else v) for n, v in values]


def of_file(path: str) -> Btf:
    """Read the BTF of an object file, or the raw BTF of a kernel (`/sys/kernel/btf/vmlinux`)."""
    from lab.libbpf._ffi import binding

    b = binding()
    handle = b.lib.btf__parse(path.encode(), b.ffi.NULL)
    if handle == b.ffi.NULL:
        raise OSError(b.errno, f"no BTF in {path}: {b.describe(b.errno)}")
    try:
        return from_handle(handle)
    finally:
        b.lib.btf__free(handle)


def from_handle(handle: Any) -> Btf:
    """Copy the BTF that libbpf holds."""
    from lab.libbpf._ffi import binding

    b = binding()
    size = b.ffi.new("uint32_t *")
    data = b.lib.btf__raw_data(handle, size)
    return Btf(bytes(b.ffi.buffer(data, size[0])))
