from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from verifier_diary.instructions import instructions_sha256, without_descriptors
from verifier_diary.model import sha256_of


def wide(source: int, low: int, high: int) -> bytes:
    return struct.pack("=BBhiBBhi", 0x18, source << 4, 0, low, 0, 0, 0, high)


def test_map_descriptors_and_addresses_read_as_zero() -> None:
    assert without_descriptors(wide(1, 5, 7)) == wide(1, 0, 0)


def test_constants_stay() -> None:
    assert without_descriptors(wide(0, 5, 7)) == wide(0, 5, 7)


def test_the_second_half_of_a_wide_instruction_is_not_taken_for_one() -> None:
    tricky = struct.pack("=BBhiBBhi", 0x18, 0, 0, 5, 0x18, 0x10, 0, 7)
    assert without_descriptors(tricky) == tricky


def test_the_same_program_with_other_descriptors_has_the_same_hash() -> None:
    assert instructions_sha256(wide(1, 5, 0)) == instructions_sha256(wide(1, 9, 3))


@given(st.binary(max_size=200))
def test_any_bytes_keep_their_length_and_a_second_pass_changes_nothing(code: bytes) -> None:
    once = without_descriptors(code)
    assert len(once) == len(code)
    assert without_descriptors(once) == once
    assert instructions_sha256(code) == sha256_of(once)
