"""What the kernel tells about a program or link by its descriptor (struct bpf_*_info, UAPI)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.libbpf._ffi import binding

# The leading members that every kernel with BTF knows; the kernel fills in what it has.
_PROGRAM = np.dtype(
    {
        "names": ["type", "id", "tag", "jited_size", "xlated_size", "name", "verified_insns"],
        "formats": ["u4", "u4", "V8", "u4", "u4", "S16", "u4"],
        "offsets": [0, 4, 8, 16, 20, 64, 216],
        "itemsize": 232,
    }
)
_LINK = np.dtype(
    {
        "names": ["type", "id", "prog_id", "ifindex"],
        "formats": ["u4", "u4", "u4", "u4"],
        "offsets": [0, 4, 8, 16],
        "itemsize": 64,
    }
)


@dataclass(frozen=True)
class ProgramInfo:
    """A loaded program; sizes in bytes, `verified_insns` 0 before Linux 5.16."""

    id: int
    tag: str  # hexadecimal
    jited_size: int
    xlated_size: int
    verified_insns: int


def program_info(fd: int) -> ProgramInfo:
    """Ask about a program."""
    row = _ask(fd, _PROGRAM)
    return ProgramInfo(
        id=int(row["id"]),
        tag=bytes(row["tag"]).hex(),
        jited_size=int(row["jited_size"]),
        xlated_size=int(row["xlated_size"]),
        verified_insns=int(row["verified_insns"]),
    )


def link_info(fd: int) -> tuple[int, int, int]:
    """Ask about an XDP link: its id, its program's id, its interface (0: gone)."""
    row = _ask(fd, _LINK)
    return int(row["id"]), int(row["prog_id"]), int(row["ifindex"])


def _ask(fd: int, layout: np.dtype[np.void]) -> np.void:
    b = binding()
    record = np.zeros(1, layout)
    length = b.ffi.new("uint32_t *", layout.itemsize)
    pointer = b.ffi.cast("void *", record.ctypes.data)
    b.check(b.lib.bpf_obj_get_info_by_fd(fd, pointer, length), "information about a descriptor")
    row: np.void = record[0]
    return row
