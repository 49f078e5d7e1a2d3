from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, accepted, rejected
from verifier_diary import journal
from verifier_diary.classes import BY_ID
from verifier_diary.export import export, lessons_folder
from verifier_diary.markdown import block, code, escape, table
from verifier_diary.model import Program, SourceText
from verifier_diary.publish import MARKER, publish

LESSON = """\
/* Why. */

EXPECT_REJECT("invalid access to packet")
int packet_bounds_bad(void)
{
\treturn data[`|`];
}

int packet_bounds_good(void)
{
\treturn 0;
}
"""


@pytest.fixture
def entries(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    pair = (Program(f"packet_bounds_{which}", "packet_bounds", "xdp") for which in ("bad", "good"))
    sources = (SourceText.of("bpf/lessons/packet_bounds.bpf.c", LESSON),)
    bad = LOG.replace(LINE, "return data[`|`];").replace("first.bpf.c:4", "packet_bounds.bpf.c:6")
    journal.append(rejected())
    journal.append(accepted())
    journal.append(
        rejected(3, bad, expected=True, program=next(pair), sources=sources), lessons_folder()
    )
    journal.append(accepted(4, program=next(pair), sources=sources), lessons_folder())
    export(tmp_path / "entries", pytest.fail)
    return tmp_path / "entries"


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "packet_bounds.bpf.c").write_text(LESSON)
    return folder


@pytest.fixture
def pages(entries: Path, lessons: Path, tmp_path: Path) -> dict[str, str]:
    publish(entries, tmp_path / "docs", lessons)
    return {
        path.relative_to(tmp_path / "docs").as_posix(): path.read_text("utf-8")
        for path in (tmp_path / "docs").rglob("*.md")
    }


def test_every_page_says_not_to_edit_it(pages: dict[str, str]) -> None:
    for text in pages.values():
        assert re.match(r'---\ntitle: ".+"\ndescription: ".+"\n---\n\n', text)
        assert text.split("---\n\n", 1)[1].startswith(f"{MARKER}\n\n# ")


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
    assert "## Programs of lessons\n" in pages["by-program.md"]


def test_lessons_are_apart_from_what_was_met(pages: dict[str, str]) -> None:
    met, wanted = pages["index.md"].split("## Lessons")
    assert met.count("(entries/") == wanted.count("(entries/") == 1


def test_an_entrys_page_is_in_the_order_of_the_report(pages: dict[str, str]) -> None:
    heads = re.findall(r"^## (.+)$", met(pages), re.MULTILINE)
    assert heads == [
        "Reason",
        "At",
        "Registers",
        "Causal path",
        "Usual cause",
        "Suggestion",
        "Cure",
        "Log",
    ]


def test_an_entrys_page_is_found_by_its_message(pages: dict[str, str]) -> None:
    title = "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)"
    assert f'title: "{title}"\n' in met(pages)
    assert f"```text\n{title}\n```" in met(pages)


def test_an_entrys_page_says_registers_in_words(pages: dict[str, str]) -> None:
    assert "| R1 | a packet pointer, no byte known | `R1=pkt(r=0)` |\n" in met(pages)


def test_an_entrys_page_shows_line_and_cure(pages: dict[str, str]) -> None:
    text = met(pages)
    assert f"> 4 |         {LINE}" in text
    assert "+\tif (data + 1 > end)" in text
    assert "9 instructions processed" in text


def met(pages: dict[str, str]) -> str:
    """Return the page of the entry that is no lesson."""
    return next(t for n, t in pages.items() if n.startswith("entries/") and "# first:" in t)


def test_a_class_page_is_found_by_its_message(pages: dict[str, str]) -> None:
    title = f"invalid access to packet: {BY_ID['packet_bounds'].title}"
    assert f'title: "{title}"\n' in pages["classes/packet_bounds.md"]


def test_a_class_page_has_messages_cause_cure_and_category(pages: dict[str, str]) -> None:
    text = pages["classes/packet_bounds.md"]
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads == [
        "What it means",
        "Usual cause",
        "Usual cure",
        "Messages",
        "Lesson",
        "Its log",
        "Entries",
    ]
    assert "Linux 7.3 reports it as *Memory Safety*." in text
    assert "\nR\\d+ offset is outside of the packet\n" in text


def test_a_class_page_marks_the_line_of_its_lesson(pages: dict[str, str]) -> None:
    text = pages["classes/packet_bounds.md"]
    assert '```c linenums="1" hl_lines="6"\n/* Why. */\n' in text
    assert "because of line 6, <code>return data&#91;&#96;&#124;&#96;&#93;;</code>" in text
    assert "-int packet_bounds_bad(void)\n+int packet_bounds_good(void)\n" in text
    assert text.count("](../entries/") == 3


def test_a_class_page_shows_what_kernels_reworded(pages: dict[str, str]) -> None:
    text = pages["classes/helper_unavailable.md"]
    assert "| 6.1 | `unknown func bpf_bind#64` |" in text
    assert "| 6.12 | `program of this type cannot use helper bpf_bind#64` |" in text


def test_the_statistics_count_tries_and_costs(pages: dict[str, str]) -> None:
    text = pages["statistics.md"]
    assert "| 1 | 1 minute | 2 to 9 |" in text
    assert "| `first:first` | 6.18.44 | 9 | 9 | 9 | 100.0% | 2026-03-02 |" in text
    assert "| 6.18.44 | 1 |" in text


def test_the_development_log_is_in_order(pages: dict[str, str]) -> None:
    lines = [line[:16] for line in pages["development.md"].splitlines() if line.startswith("- ")]
    assert lines == ["- 00:00 **reject", "- 00:01 **cured*", "- 00:01 **accept"]


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
    assert escape("a_b *c* <d> `e_f`\n g|") == r"a\_b \*c\* &#60;d&#62; `e_f` g&#124;"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("x", "`x`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a\nb", "`a b`"),
        ("", ""),
        ("[a|b]_&", "<code>&#91;a&#124;b&#93;&#95;&#38;</code>"),
    ],
)
def test_code_may_hold_backticks_and_bars(text: str, span: str) -> None:
    assert code(text) == span


def test_a_block_may_hold_a_block() -> None:
    assert block(["```", "x", "```"]) == "````text\n```\nx\n```\n````"


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
