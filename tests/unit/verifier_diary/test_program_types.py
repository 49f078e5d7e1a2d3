from __future__ import annotations

import pytest

from verifier_diary.program_types import program_type


@pytest.mark.parametrize(
    ("number", "name"), [(1, "socket_filter"), (6, "xdp"), (26, "tracing"), (32, "netfilter")]
)
def test_a_number_has_libbpfs_name(number: int, name: str) -> None:
    assert program_type(number) == name


@pytest.mark.parametrize("number", [-1, 4711])
def test_a_type_too_new_keeps_its_number(number: int) -> None:
    assert program_type(number) == str(number)
