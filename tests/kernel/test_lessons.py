"""Every lesson on the running kernel: the bad program is refused as it says, the good one loads.

GLIMPSE_GOLDEN=write pytest tests/kernel/test_lessons.py writes the logs to tests/data.
"""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

import pytest

from lab import build, loader
from lab.build import Build
from lab.loader import Loaded
from tests.kernel.conftest import needs_clang, needs_root
from verifier_diary.classes import CLASSES
from verifier_diary.explain import Diagnosis, explain
from verifier_diary.lessons import expectations
from verifier_diary.model import Layer
from verifier_diary.scrub import strip_addresses

LESSONS = sorted((build.BPF / "lessons").glob("*.bpf.c"))
KERNEL = re.split(r"[^\d.]", platform.release())[0]
GOLDEN = Path(__file__).parent.parent / "data" / "verifier_logs" / KERNEL

pytestmark = [needs_root, needs_clang]


@cache
def built(lesson: Path) -> Build:
    done = build.compile(lesson)
    assert done.ok, done.messages
    return done


def load(lesson: Path, which: str) -> Loaded:
    function = f"{build.stem_of(lesson)}_{which}"
    return loader.load(built(lesson), function, expected=which == "bad")


def diagnose(loaded: Loaded) -> Diagnosis:
    attempt = loaded.attempt
    sources = {source.path: source.text for source in attempt.sources if source.text}
    return explain(
        attempt.log,
        loader=attempt.messages,
        errno=attempt.errno,
        sources=sources,
        function=attempt.program.function,
    )


def write_golden(lesson: Path, log: str) -> None:
    if os.environ.get("GLIMPSE_GOLDEN") == "write":
        GOLDEN.mkdir(parents=True, exist_ok=True)
        (GOLDEN / f"{build.stem_of(lesson)}.log").write_text(strip_addresses(log))


@pytest.mark.parametrize("lesson", LESSONS, ids=build.stem_of)
def test_lesson_bad_is_rejected_with_its_class_message_and_line(lesson: Path) -> None:
    name = build.stem_of(lesson)
    expected = expectations(lesson.read_text())[f"{name}_bad"]
    with load(lesson, "bad") as loaded:
        assert not loaded.accepted
        assert loaded.attempt.expected
        diagnosis = diagnose(loaded)
    verdict, at = diagnosis.verdict, diagnosis.at
    assert verdict.class_id == name
    assert verdict.layer in (Layer.VERIFIER, Layer.LIMIT)
    assert any(text in line for text in expected.messages for line in verdict.messages)
    assert at.source is not None
    assert at.source.file is not None
    assert Path(at.source.file).name == lesson.name
    assert any(text in at.source.text for text in expected.places), at.source
    assert any(line.marked for line in at.context)
    write_golden(lesson, loaded.attempt.log)


@pytest.mark.parametrize("lesson", LESSONS, ids=build.stem_of)
def test_lesson_good_is_accepted(lesson: Path) -> None:
    with load(lesson, "good") as loaded:
        assert loaded.accepted, loaded.attempt.log


def test_every_class_that_claims_a_lesson_has_one() -> None:
    claimed = {error.id for error in CLASSES if error.lesson}
    assert claimed == {build.stem_of(lesson) for lesson in LESSONS}
