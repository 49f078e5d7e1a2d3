"""The instructions of a program, without what differs from one load of it to the next."""

from __future__ import annotations

from functools import lru_cache

from verifier_diary.model import sha256_of

_LD_IMM64 = 0x18
SIZE = 8  # bytes of one instruction


def without_descriptors(code: bytes) -> bytes:
    """Return instructions with zero for every 64-bit immediate that names a map or symbol.

    As the kernel does for its tag: descriptors and addresses are the loading process's own.
    """
    bare = bytearray(code)
    at = 0
    while at + 2 * SIZE <= len(bare):
        wide = bare[at] == _LD_IMM64
        if wide and bare[at + 1] >> 4:
            bare[at + 4 : at + 8] = bare[at + 12 : at + 16] = bytes(4)
        at += 2 * SIZE if wide else SIZE
    return bytes(bare)


@lru_cache(maxsize=64)  # a program that is rejected is soon tried again
def instructions_sha256(code: bytes) -> str:
    """Return the hash by which the journal knows a program's instructions."""
    return sha256_of(without_descriptors(code))
