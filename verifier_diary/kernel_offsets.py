"""Where the running kernel keeps a process's arguments and the verifier's count of a program.

Offsets of structs, from its own BTF.

BCC compiles with the headers at hand, which may be another kernel's: their structs are not to be
trusted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

VMLINUX = Path("/sys/kernel/btf/vmlinux")
_HEADER = struct.Struct("=HBBIIIII")
_MAGIC = 0xEB9F
_TYPE = struct.Struct("=III")
_MEMBER = struct.Struct("=III")
_STRUCT, _UNION = 4, 5
# Bytes behind a type, by kind: fixed, and for each of its members (linux/btf.h).
_FIXED = {1: 4, 3: 12, 14: 4, 17: 4}
_EACH = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}


@dataclass(frozen=True, slots=True)
class Offsets:
    """Bytes from the start of task_struct and mm_struct, and on the way from task to program."""

    mm: int
    arg_start: int
    arg_end: int
    env_start: int
    env_end: int
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """From a process by a descriptor to the instructions that were verified (Linux 5.16)."""

    files: int  # of task_struct
    fdt: int  # of files_struct
    fd: int  # of fdtable
    private_data: int  # of file
    aux: int  # of bpf_prog
    verified_insns: int  # of bpf_prog_aux


def offsets(path: Path = VMLINUX) -> Offsets | None:
    """Read the offsets; None where the kernel has no BTF, or other structs than expected."""
    try:
        btf = _Btf(path.read_bytes())
        mm = btf.members("mm_struct")
        return Offsets(
            mm=btf.members("task_struct")["mm"],
            arg_start=mm["arg_start"],
            arg_end=mm["arg_end"],
            env_start=mm["env_start"],
            env_end=mm["env_end"],
            way=_way(btf),
        )
    except (OSError, KeyError, IndexError, ValueError, struct.error):
        return None


def _way(btf: _Btf) -> Way | None:
    steps = ("task_struct", "files_struct", "fdtable", "file", "bpf_prog", "bpf_prog_aux")
    names = ("files", "fdt", "fd", "private_data", "aux", "verified_insns")
    try:
        return Way(*(btf.members(step)[name] for step, name in zip(steps, names, strict=True)))
    except (KeyError, ValueError):
        return None


class _Btf:
    def __init__(self, data: bytes) -> None:
        magic, _, _, length, types, types_length, strings, strings_length = _HEADER.unpack_from(
            data
        )
        if magic != _MAGIC:
            raise ValueError("no BTF of this byte order")
        self._data = data
        self._strings = data[length + strings : length + strings + strings_length]
        self._at = [0]  # by type id
        at, end = length + types, length + types + types_length
        while at < end:
            self._at.append(at)
            info = _TYPE.unpack_from(data, at)[1]
            kind = info >> 24 & 0x1F
            at += _TYPE.size + _FIXED.get(kind, 0) + _EACH.get(kind, 0) * (info & 0xFFFF)

    def members(self, name: str) -> dict[str, int]:
        """Return the offsets in bytes of a struct's members, those of nameless parts included."""
        wanted = self._strings.index(b"\0" + name.encode() + b"\0") + 1
        for at in self._at[1:]:
            offset, info, _ = _TYPE.unpack_from(self._data, at)
            if offset == wanted and info >> 24 & 0x1F == _STRUCT and info & 0xFFFF:
                return self._members(at, 0)
        raise KeyError(name)

    def _members(self, at: int, base: int) -> dict[str, int]:
        info = _TYPE.unpack_from(self._data, at)[1]
        found: dict[str, int] = {}
        for number in range(info & 0xFFFF):
            place = at + _TYPE.size + number * _MEMBER.size
            name, kind, bits = _MEMBER.unpack_from(self._data, place)
            start = base + ((bits & 0xFFFFFF if info >> 31 else bits) // 8)
            if name:
                found[self._name(name)] = start
            elif self._is_composite(self._at[kind]):
                found |= self._members(self._at[kind], start)
        return found

    def _is_composite(self, at: int) -> bool:
        return _TYPE.unpack_from(self._data, at)[1] >> 24 & 0x1F in (_STRUCT, _UNION)

    def _name(self, offset: int) -> str:
        return self._strings[offset : self._strings.index(b"\0", offset)].decode()
