"""`lab diary lessons` on the running kernel, from the record to the published page."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from lab import build, lessons
from lab.cli import run
from lab.lessons import ask
from tests.kernel.conftest import needs_clang, needs_root
from verifier_diary import journal
from verifier_diary.entries import Filter, entries
from verifier_diary.journal_files import waiting
from verifier_diary.journal_import import import_file
from verifier_diary.lessons import expectations
from verifier_diary.store import Store

pytestmark = [needs_root, needs_clang]
NAMES = [build.stem_of(path) for path in lessons.lessons()]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with what the running kernel says of all lessons."""
    folder = tmp_path_factory.mktemp("lessons")
    ask(lessons.lessons(), folder, platform.release(), lambda steps: None)
    return folder


@pytest.fixture(scope="module")
def diary(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The diary made of it, and its entries by lesson."""
    path = tmp_path_factory.mktemp("diary") / "diary.db"
    with Store(path) as store:
        for file in waiting(store, [recorded]):
            for _ in import_file(store, file, pytest.fail):
                pass
        ids = {entry.object or "": entry.id for entry in entries(store, Filter(expected=None))}
    return ids | {"": str(path)}


def test_every_lesson_is_recorded_with_both_programs(recorded: Path) -> None:
    found = [attempt.program.function for attempt in journal.read(recorded)]
    assert found == [f"{name}_{which}" for name in NAMES for which in ("bad", "good")]


@pytest.mark.parametrize("name", NAMES)
def test_show_marks_the_c_line_and_the_cure(
    diary: dict[str, str], recorded: Path, name: str, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", diary[""])
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(recorded))
    assert run(["diary", "show", diary[name]]) == 0
    text = capsys.readouterr().out
    source = (build.BPF / "lessons" / f"{name}.bpf.c").read_text()
    expected = expectations(source)[f"{name}_bad"]
    (marked,) = [line for line in text.split("\n") if line.startswith("  > ")]
    number, _, line = marked.removeprefix("  > ").partition(" | ")
    assert any(place.strip() in line for place in expected.places), marked
    assert source.expandtabs(8).split("\n")[int(number) - 1].rstrip() == line.rstrip()
    assert f"bpf/lessons/{name}.bpf.c:{number.strip()}" in text
    assert "\nCure:\n" in text
    assert f"\n  +++ bpf/lessons/{name}.bpf.c {name}_good\n" in text


# Where ranges matter, the reason gives them in words.
RANGES = {
    "packet_bounds": "offset 14; the packet is known to hold only 14 bytes",
    "map_value_bounds": "may point to byte ",
    "size_arg": "is a number of at most 64, without a lower bound",
    "ptr_math_unbounded": "is a number of at most 63, without a lower bound",
    "unbounded_index": "may be 0..4294967295",
    "mem_bounds": "8 bytes at offset 8 do not fit into 8 bytes of memory",
    "return_value": "is the number 2 at the exit; the hook takes 0 to 1",
}


@pytest.mark.parametrize("name", RANGES)
def test_show_names_the_range_in_words(
    diary: dict[str, str], recorded: Path, name: str, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", diary[""])
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(recorded))
    assert run(["diary", "show", diary[name]]) == 0
    text = capsys.readouterr().out
    reason = " ".join(text.split("Reason:")[1].split("\nAt:")[0].split())
    assert RANGES[name] in reason
