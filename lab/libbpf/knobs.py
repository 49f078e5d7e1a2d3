"""Turn a knob's Python value into the bytes of its C type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.errors import UsageError_
from lab.libbpf.btf import ARRAY, ENUM, ENUM64, INT, STRUCT, UNION, VAR, Btf

KnobValue = int | bytes | Mapping[str, Any] | Sequence[Any]


def find(btf: Btf, name: str) -> tuple[str, int, int]:
    """Return a global variable's section, offset in it, and type."""
    known = []
    for section in btf.sections.values():
        for type_id, offset, _ in section.variables:
            variable = btf.types[type_id]
            if variable.kind != VAR:
                continue
            if variable.name == name:
                return section.name, offset, variable.target
            known.append(variable.name)
    has = ", ".join(sorted(known)) or "none"
    raise UsageError_(f"the object has no knob {name!r}", try_=f"one of its knobs: {has}")


def store(btf: Btf, memory: Any, at: int, type_id: int, value: KnobValue, name: str) -> None:
    """Write a value into writable memory at byte `at`; members left out keep their value."""
    found = btf.resolve(type_id)
    size = btf.size_of(type_id)
    if isinstance(value, bytes | bytearray):
        if len(value) != size:
            raise UsageError_(f"knob {name} has {size} bytes, not {len(value)}")
        memory[at : at + size] = bytes(value)
    elif isinstance(value, Mapping) and found.kind in (STRUCT, UNION):
        _store_members(btf, memory, at, type_id, value, name)
    elif isinstance(value, Sequence) and not isinstance(value, str) and found.kind == ARRAY:
        if len(value) > found.count:
            raise UsageError_(f"knob {name} has {found.count} elements, not {len(value)}")
        step = btf.size_of(found.target)
        for index, element in enumerate(value):
            store(btf, memory, at + index * step, found.target, element, f"{name}[{index}]")
    elif found.kind in (INT, ENUM, ENUM64):
        memory[at : at + size] = _integer(btf, value, size, found.signed, name)
    else:
        raise UsageError_(f"knob {name} cannot be set to {value!r}: its C type is another")


def _store_members(
    btf: Btf, memory: Any, at: int, type_id: int, value: Mapping[str, Any], name: str
) -> None:
    members = {m.name: m for m in btf.resolve(type_id).members}
    for key, part in value.items():
        member = members.get(key)
        if member is None:
            has = ", ".join(members)
            raise UsageError_(f"knob {name} has no field {key!r}", try_=f"one of: {has}")
        if member.bits or member.offset % 8:
            raise UsageError_(f"knob {name}.{key} is a bit field, which cannot be set")
        store(btf, memory, at + member.offset // 8, member.type, part, f"{name}.{key}")


def _integer(btf: Btf, value: Any, size: int, signed: bool, name: str) -> bytes:
    try:
        order: Any = btf.byteorder
        return int(value).to_bytes(size, order, signed=signed)
    except (OverflowError, TypeError, ValueError) as error:
        sign = "signed" if signed else "unsigned"
        message = f"knob {name} = {value!r} does not fit {size * 8} {sign} bits"
        raise UsageError_(message) from error
