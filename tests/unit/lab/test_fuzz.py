"""The fuzzer's parts that need no kernel: mutants, cases, random rounds."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lab import build
from lab.cli import run
from lab.datapath import Datapath, DatapathSettings, SimulatorDatapath
from lab.errors import LabError
from lab.fuzz import case, rounds
from lab.fuzz.campaign import shrink
from lab.fuzz.mutants import MUTANTS, Mutant, plant
from simulator.layout import Hash
from simulator.traffic import frames_for, generate


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_mutant_changes_one_line(mutant: Mutant, tmp_path: Path) -> None:
    planted = plant(mutant, build.BPF, tmp_path)
    before = (build.BPF / mutant.file).read_text().splitlines()
    after = (planted.parent / mutant.file).read_text().splitlines()
    assert len(before) == len(after)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_there_are_at_least_ten_mutants() -> None:
    assert len({m.name for m in MUTANTS}) == len(MUTANTS) >= 10


def test_mutant_whose_line_is_gone_says_where_to_look(tmp_path: Path) -> None:
    stale = replace(MUTANTS[0], old="no such text")
    with pytest.raises(LabError, match="0 times, not once") as caught:
        plant(stale, build.BPF, tmp_path)
    assert "lab/fuzz/mutants.py" in (caught.value.try_ or "")


def some_round(seed: int, packets: int = 800) -> rounds.Round:
    rng = np.random.default_rng(seed)
    settings = rounds.random_settings(rng, "src")
    keys, lengths, times = generate("zipf-1.1", packets, seed=seed)
    return rounds.random_round(rng, frames_for(keys, lengths, times), settings)


def twin(settings: DatapathSettings, _: ExitStack) -> Datapath:
    return SimulatorDatapath(settings)


def other_hash(settings: DatapathSettings, _: ExitStack) -> Datapath:
    wrong = Hash.JHASH if settings.hash is Hash.MURMUR3 else Hash.MURMUR3
    return SimulatorDatapath(replace(settings, hash=wrong))


@pytest.mark.parametrize("seed", range(5))
def test_twin_agrees_with_itself(seed: int) -> None:
    found = rounds.run(some_round(seed), twin)
    assert (found.differences, found.packets) == (0, 800)


def test_saved_case_gives_the_same_round(tmp_path: Path) -> None:
    drawn = some_round(3)
    case.save(tmp_path / "case", drawn, ["example"])
    again = case.load(tmp_path / "case")
    assert again.settings == drawn.settings
    assert again.changes == drawn.changes
    assert [again.frames.frame(i) for i in range(50)] == [drawn.frames.frame(i) for i in range(50)]
    assert (again.clocks == drawn.clocks).all()


def test_shrink_keeps_the_difference() -> None:
    seed = next(s for s in range(50) if rounds.run(some_round(s), other_hash).differences)
    small = shrink(some_round(seed), other_hash)
    assert rounds.run(small, other_hash).differences > 0
    assert len(small.frames) < 800


@pytest.mark.parametrize("content", [None, "{", '{"schema": 99}', '{"schema": 1}'])
def test_folder_that_holds_no_case_exits_with_7(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.save(tmp_path / "case", some_round(1, 20), [])
    if content is None:
        (tmp_path / "case" / "case.json").unlink()
    else:
        (tmp_path / "case" / "case.json").write_text(content)
    assert run(["fuzz", "--case", str(tmp_path / "case")]) == 7
    assert "is not a saved case" in capsys.readouterr().err
