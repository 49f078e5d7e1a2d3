"""The one contract: glimpse.h and its NumPy twin agree, field by field."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lab import build, layout
from lab.libbpf import btf


@pytest.fixture
def contract(tmp_path: Path) -> btf.Btf:
    if not shutil.which("clang"):
        pytest.skip("clang is missing; `make setup` installs it")
    source = tmp_path / "contract.bpf.c"
    source.write_text(layout.probe_source())
    built = build.compile(source, out=tmp_path / "contract.bpf.o")
    assert built.ok, built.messages
    return btf.of_file(str(built.object))


def test_layout_equals_the_header(contract: btf.Btf) -> None:
    assert list(layout.differences(contract)) == []


def test_layout_check_sees_a_moved_field(
    contract: btf.Btf, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = np.dtype([(name, "<u8") for name in ("bytes", "packets", "first_ns", "last_ns")])
    monkeypatch.setitem(layout.STRUCTS, "exact_record", moved)
    assert ["exact_record" in line for line in layout.differences(contract)] == [True]


def test_layout_check_sees_a_changed_limit(
    contract: btf.Btf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(layout.LIMITS, "GLIMPSE_SLOTS", 9)
    assert ["glimpse_limits" in line for line in layout.differences(contract)] == [True]


def test_every_type_of_the_header_is_checked() -> None:
    header = (build.BPF / "include" / "glimpse.h").read_text()
    for line in header.splitlines():
        words = line.split()
        if line.startswith(("struct ", "enum ")) and line.endswith("{"):
            assert words[1] in {*layout.STRUCTS, *layout.ENUMS, "glimpse_limits"}
