"""What is committed of the diary: the exported entries, and the pages made of them."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest

from verifier_diary.classes import BY_ID
from verifier_diary.commands import ENTRIES, PAGES
from verifier_diary.exported import Export, read
from verifier_diary.model import sha256_of
from verifier_diary.publish import publish

ROOT = Path(__file__).parents[3]
LESSONS = sorted((ROOT / "bpf" / "lessons").glob("*.bpf.c"))
RECORDS = ROOT / "verifier_diary" / "journal" / "lessons"
ANEW = "as root: lab diary lessons; then: lab diary export && lab diary publish"

# A host that is called `lab` or `debian` is nobody's secret.
HOST = platform.node() if re.search(r"[\d.-]", platform.node()) else "no-such-host-1"
PRIVATE = {
    "a home": re.compile(r"/home/|/root\b|/Users/"),
    "a kernel address": re.compile(r"(?<![=(;,\w])(?:0x)?ffff[89a-e][0-9a-f]{11}\b"),
    "an address of the network": re.compile(r"\b(?!127\.|0\.|255\.)(?:\d{1,3}\.){3}\d{1,3}\b"),
    "this host": re.compile(rf"(?<![\w.-]){re.escape(HOST)}(?![\w.-])"),
}


@pytest.fixture(scope="module")
def export() -> Export:
    return read(ROOT / ENTRIES)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_pages_are_those_of_the_entries(tmp_path: Path) -> None:
    publish(ROOT / ENTRIES, tmp_path, ROOT / "bpf" / "lessons")
    fresh, committed = files(tmp_path), files(ROOT / PAGES)
    names = sorted(fresh.keys() | committed.keys())
    stale = [name for name in names if fresh.get(name) != committed.get(name)]
    assert not stale, f"{PAGES} is stale in {stale[:5]}: lab diary publish"


@pytest.mark.parametrize("kind", PRIVATE)
def test_nothing_private_is_exported(kind: str) -> None:
    for path in sorted((ROOT / ENTRIES).iterdir()):
        found = PRIVATE[kind].search(path.read_text("utf-8"))
        assert not found, f"{path.name} holds {kind}: {found[0] if found else ''}"


def test_files_are_named_by_class_and_id(export: Export) -> None:
    names = {path.name for path in (ROOT / ENTRIES).glob("*.json")}
    assert names == {f"{entry.class_id}-{entry.id}.json" for entry in export.entries}


def test_every_lesson_has_an_entry_of_its_class_that_marks_its_line(export: Export) -> None:
    taught = {entry.class_id: entry for entry in export.lessons}
    for lesson in LESSONS:
        name = lesson.name.removesuffix(".bpf.c")
        entry = taught[name]
        assert entry.program == f"{name}_bad"
        assert entry.record["source_file"] == f"bpf/lessons/{lesson.name}"
        assert [line["marked"] for line in entry.record["context"]].count(True) == 1
        assert entry.cure, f"{name}_good is not linked as its cure"


def test_no_entry_is_unclassified(export: Export) -> None:
    assert {entry.class_id for entry in export.entries} <= BY_ID.keys() - {"unclassified"}


@pytest.mark.parametrize("record", sorted(RECORDS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_lessons_that_were_recorded_are_the_present_ones(record: Path) -> None:
    recorded = {
        source["path"]: source["sha256"]
        for line in record.read_text("utf-8").splitlines()
        for source in json.loads(line)["sources"]
    }
    stale = [
        lesson.name
        for lesson in LESSONS
        if recorded.get(f"bpf/lessons/{lesson.name}", "")
        not in ("", sha256_of(lesson.read_bytes()))
    ]
    assert not stale, f"{record.name} is of older versions of {stale}: {ANEW}"


def test_some_kernel_was_recorded() -> None:
    assert list(RECORDS.glob("*.jsonl")), ANEW
