from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, accepted, rejected
from verifier_diary import journal
from verifier_diary.classes import BY_ID
from verifier_diary.export import export
from verifier_diary.markdown import block, code, escape, table
from verifier_diary.publish import MARKER, publish


@pytest.fixture
def entries(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    lesson = rejected(3, LOG.replace(LINE, "return data[`|`];"), expected=True)
    for attempt in (rejected(), accepted(), lesson):
        journal.append(attempt)
    export(tmp_path / "entries", pytest.fail)
    return tmp_path / "entries"


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "packet_bounds.bpf.c").write_text("int packet_bounds_bad(void)\n{\n\treturn 1;\n}\n")
    return folder


@pytest.fixture
def pages(entries: Path, lessons: Path, tmp_path: Path) -> dict[str, str]:
    publish(entries, tmp_path / "docs", lessons)
    return {
        path.relative_to(tmp_path / "docs").as_posix(): path.read_text("utf-8")
        for path in (tmp_path / "docs").rglob("*.md")
    }


def test_every_page_says_not_to_edit_it(pages: dict[str, str]) -> None:
    assert all(text.startswith(f"{MARKER}\n\n# ") for text in pages.values())


def test_every_class_has_a_page(pages: dict[str, str]) -> None:
    assert {f"classes/{class_id}.md" for class_id in BY_ID} <= set(pages)


def test_every_link_leads_to_a_page(pages: dict[str, str], tmp_path: Path) -> None:
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)]+\.md)\)", text):
            path = (tmp_path / "docs" / name).parent / target
            assert path.exists(), f"{name} links to {target}"


def test_the_indexes_name_classes_kernels_and_programs(pages: dict[str, str]) -> None:
    assert "| 2 |" in pages["by-class.md"]
    assert "## 6.18.44\n" in pages["by-kernel.md"]
    assert "## first\n" in pages["by-program.md"]


def test_lessons_are_apart_from_what_was_met(pages: dict[str, str]) -> None:
    met, wanted = pages["index.md"].split("## Lessons and tests")
    assert met.count("(entries/") == wanted.count("(entries/") == 1


def test_an_entrys_page_is_in_the_order_of_the_report(pages: dict[str, str]) -> None:
    text = next(t for n, t in pages.items() if n.startswith("entries/") and "## Cure" in t)
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads == ["Reason", "At", "Causal path", "Usual cause", "Suggestion", "Cure", "Log"]


def test_an_entrys_page_shows_line_and_cure(pages: dict[str, str]) -> None:
    text = next(t for n, t in pages.items() if n.startswith("entries/") and "## Cure" in t)
    assert f"> 4 |         {LINE}" in text
    assert "+\tif (data + 1 > end)" in text
    assert "9 instructions processed" in text


def test_a_class_page_shows_its_lesson_and_entries(pages: dict[str, str]) -> None:
    text = pages["classes/packet_bounds.md"]
    assert "```c\nint packet_bounds_bad(void)\n" in text
    assert text.count("](../entries/") == 2


def test_the_same_export_gives_the_same_pages(
    entries: Path, lessons: Path, pages: dict[str, str], tmp_path: Path
) -> None:
    assert publish(entries, tmp_path / "docs", lessons) == []


def test_old_pages_go_and_written_ones_stay(
    entries: Path, lessons: Path, pages: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    (folder / "entries" / "0123.md").write_text(f"{MARKER}\n\n# old\n")
    (folder / "mine.md").write_text("# written by hand\n")
    (change,) = publish(entries, folder, lessons)
    assert (change.file, change.change) == ("entries/0123.md", "removed")
    assert (folder / "mine.md").exists()


def test_prose_holds_no_markup_but_code() -> None:
    assert escape("a_b *c* <d> `e_f`\n g|") == r"a\_b \*c\* \<d\> `e_f` g\|"


@pytest.mark.parametrize(
    ("text", "span"),
    [("x", "`x`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a\nb", "`a b`"), ("", "")],
)
def test_code_may_hold_backticks(text: str, span: str) -> None:
    assert code(text) == span


def test_a_block_may_hold_a_block() -> None:
    assert block(["```", "x", "```"]) == "````text\n```\nx\n```\n````"


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
