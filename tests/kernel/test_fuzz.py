"""`lab fuzz`: finds nothing in the program, and everything in the mutants that it is given."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from lab.cli import run
from lab.datapath import DatapathSettings
from lab.fuzz import case, hunt, rounds
from lab.fuzz.campaign import draw, shrink
from lab.fuzz.frames import FrameSource
from lab.fuzz.mutants import MUTANTS
from lab.kernel_datapath import KernelDatapath
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]
SEVERAL = ("vlan-count", "eviction", "epoch-buffer")


@pytest.fixture(scope="module")
def source() -> FrameSource:
    return FrameSource(np.random.default_rng(11))


def test_campaign_finds_no_difference(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--packets", "60000", "--seed", "4", "--cases", str(tmp_path)]
    assert run(["fuzz", *arguments, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["differences"] == 0
    assert found["compared"]["packets"] == found["packets"] == 60_000
    assert found["compared"]["scapy_frames"] > 1000
    assert found["compared"]["keys"] > 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.name in SEVERAL], ids=lambda m: m.name)
def test_mutant_is_caught_and_its_case_repeats(
    mutant: hunt.Mutant, source: FrameSource, tmp_path: Path
) -> None:
    objects = hunt.objects_of(mutant, tmp_path)

    def mutated(settings: DatapathSettings, stack: ExitStack) -> KernelDatapath:
        return KernelDatapath(settings, stack, source=objects[settings.geometry.key.name])

    rng = np.random.default_rng(2)
    for _ in range(12):
        drawn = draw(rng, source, 10_000)
        if rounds.run(drawn, mutated).differences:
            break
    else:
        pytest.fail("the mutant escaped")
    small = shrink(drawn, mutated)
    assert len(small.frames) <= len(drawn.frames)
    case.save(tmp_path / "case", small, ["as found"])
    again = case.load(tmp_path / "case")
    assert rounds.run(again, mutated).differences > 0
    assert rounds.run(again, lambda s, stack: KernelDatapath(s, stack)).differences == 0


def test_saved_case_runs_from_the_command_line(
    source: FrameSource, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.save(tmp_path / "case", draw(np.random.default_rng(1), source, 500), [])
    assert run(["fuzz", "--case", str(tmp_path / "case"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["packets"] == 500
