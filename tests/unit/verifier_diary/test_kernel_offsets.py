from __future__ import annotations

import struct
from pathlib import Path

import pytest

from verifier_diary.kernel_offsets import Offsets, Way, offsets

INT, ARRAY, STRUCT, ENUM = 1, 3, 4, 6


class Btf:
    """Writes types in BTF's form; ids count from 1."""

    def __init__(self) -> None:
        self.strings = b"\0"
        self.types = b""

    def name(self, text: str) -> int:
        if not text:
            return 0
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at

    def add(self, name: str, kind: int, count: int, rest: bytes, *, flag: bool = False) -> None:
        info = int(flag) << 31 | kind << 24 | count
        self.types += struct.pack("=III", self.name(name), info, 8) + rest

    def struct(self, name: str, *members: tuple[str, int, int], flag: bool = False) -> None:
        rest = b"".join(struct.pack("=III", self.name(m), kind, bits) for m, kind, bits in members)
        self.add(name, STRUCT, len(members), rest, flag=flag)

    def write(self, path: Path) -> Path:
        sizes = (0, len(self.types), len(self.types), len(self.strings))
        head = struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, *sizes)
        path.write_bytes(head + self.types + self.strings)
        return path


@pytest.fixture
def btf() -> Btf:
    made = Btf()
    made.add("long", INT, 0, bytes(4))  # 1
    made.add("", ARRAY, 0, bytes(12))  # 2
    made.add("kinds", ENUM, 2, bytes(16))  # 3
    return made


def test_members_of_nameless_parts_are_found(btf: Btf, tmp_path: Path) -> None:
    names = ("arg_start", "arg_end", "env_start", "env_end")
    btf.struct("", *((name, 1, 64 * n) for n, name in enumerate(names)))  # 4
    btf.struct("mm_struct", ("first", 1, 0), ("", 4, 800))
    btf.struct("task_struct", ("flags", 1, 0x08000000 | 32), ("mm", 1, 512), flag=True)
    assert offsets(btf.write(tmp_path / "btf")) == Offsets(64, 100, 108, 116, 124)


def test_the_way_to_what_was_verified_is_found(btf: Btf, tmp_path: Path) -> None:
    names = ("arg_start", "arg_end", "env_start", "env_end")
    btf.struct("mm_struct", *((name, 1, 64 * n) for n, name in enumerate(names)))
    btf.struct("task_struct", ("mm", 1, 64), ("files", 1, 128))
    for number, (name, member) in enumerate(WAY, 3):
        btf.struct(name, (member, 1, 64 * number))
    found = offsets(btf.write(tmp_path / "btf"))
    assert found is not None
    assert found.way == Way(16, 24, 32, 40, 48, 56)


WAY = (
    ("files_struct", "fdt"),
    ("fdtable", "fd"),
    ("file", "private_data"),
    ("bpf_prog", "aux"),
    ("bpf_prog_aux", "verified_insns"),
)


def test_a_forward_declaration_is_not_the_struct(btf: Btf, tmp_path: Path) -> None:
    btf.struct("mm_struct")
    assert offsets(btf.write(tmp_path / "btf")) is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(60), bytes(24)])
def test_what_is_no_btf_has_no_offsets(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "btf"
    path.write_bytes(content)
    assert offsets(path) is None


def test_a_kernel_without_btf_has_no_offsets(tmp_path: Path) -> None:
    assert offsets(tmp_path / "missing") is None
