from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier_diary import scrub
from verifier_diary.scrub import ADDRESS, strip_addresses


@pytest.mark.parametrize(
    "text",
    [
        "12: (18) r1 = 0xffff8881048d0200      ; R1_w=map_ptr(map=m,ks=4,vs=8)",
        "(18) r2 = 0xffffffff81234567",
        "(18) r2 = 0xffffc90000123000",
        "BUG: unable to handle page fault for address: ffffc90000123000",
        "RIP: 0xffff888104800000 in bpf_check",
        "3: (18) r1 = 0xff11000005a79800",
    ],
)
def test_kernel_addresses_are_taken_out(text: str) -> None:
    shown = strip_addresses(text)
    assert ADDRESS in shown
    assert "ffff8" not in shown
    assert "ffffc" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "R1_w=scalar(var_off=(0x0; 0xffffffffffffffff))",
        "R1=scalar(smin=0xffff888800000000,umax=0xffffc90000000000)",
        "R1=scalar(var_off=(0x0; 0xffff88880000ffff))",
        "R2_w=0xffff888800000001",
        "5: (18) r1 = 0xffffffff00000000",
        "5: (18) r1 = 0xff51afd7ed558ccd",
        "5: (b4) w1 = -1",
    ],
)
def test_numbers_of_the_program_stay(text: str) -> None:
    assert strip_addresses(text) == text


def test_what_the_verifier_calls_a_pointer_is_taken_out_everywhere() -> None:
    text = (
        "3: (18) r1 = 0xffff8881048d0200       ; R1=map_ptr(ks=4,vs=8)\n"
        "      3: ..2....... (18) r1 = 0xff11000005a79800\n"
        "3: (18) r1 = 0xff11000005a79800       ; R1_w=map_ptr(ks=4,vs=8)\n"
        "5: (18) r1 = 0xff00ff00ff00ff00       ; R1=0xff00ff00ff00ff00\n"
    )
    stripped = strip_addresses(text)
    assert stripped.count("<address>") == 3
    assert "0xff00ff00ff00ff00" in stripped
    assert strip_addresses(stripped) == stripped


@given(st.text(alphabet="0xf8(1)r= ;,\n", max_size=200))
def test_taking_out_twice_changes_nothing(text: str) -> None:
    assert strip_addresses(strip_addresses(text)) == strip_addresses(text)


def test_home_is_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scrub, "invoking_home", lambda: tmp_path)
    assert scrub.relative(tmp_path / "x.c") == "~/x.c"
    assert scrub.strip_paths(f"error in {tmp_path}/x.c:1") == "error in ~/x.c:1"
