from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser import (
    MESSAGE,
    svg_text,
)
from tests.diary import LINE
from verifier_diary.store import Store

pytest.importorskip("textual", reason="textual draws the browser: pip install -e '.[terminal]'")


from verifier_diary.browser.query import Query
from verifier_diary.browser.screenshots import LIST, PAGE, screenshots


def test_screenshots_are_the_two_screens_and_always_the_same(
    example: Store, tmp_path: Path
) -> None:
    query = Query("packet")
    first, again = (
        [path.read_text("utf-8") for path in screenshots(tmp_path, example.path, query, query)]
        for _ in range(2)
    )
    assert MESSAGE in svg_text(first[0])
    assert f"> 4 |         {LINE}" in svg_text(first[1])
    assert first == again
    assert not LOADS.search("".join(first))


LOADS = re.compile(r"url\((?!#)|@import|@font-face|\b(?:href|src)\s*=|<(?:image|use|script)\b")


FIGURES = Path(__file__).parents[3] / "docs" / "figures"


@pytest.mark.parametrize("name", [LIST, PAGE])
def test_the_committed_pictures_load_nothing_from_elsewhere(name: str) -> None:
    assert LOADS.findall((FIGURES / name).read_text("utf-8")) == []


def test_the_committed_list_shows_what_was_found(  # python -m verifier_diary.browser.screenshots
) -> None:
    text = svg_text((FIGURES / LIST).read_text("utf-8"))
    assert re.search(r"^ packet\n \d+ found\n", text)
    for state in ("open", "cured", "expected"):
        assert re.search(rf"^{state} +\d+ 20", text, re.MULTILINE)
    assert "return data[14] ? XDP_PASS : XDP_DROP;" in text
    assert re.search("Read .*Search .*Filter .*Help .*Quit", text)


def test_the_committed_page_shows_diagnosis_line_log_and_registers() -> None:
    text = svg_text((FIGURES / PAGE).read_text("utf-8"))
    assert "packet_bounds_bad" in text.split("\n")[0]
    assert "the packet is known to" in text
    assert text.count("> 17 |         return data[14] ? XDP_PASS : XDP_DROP;") == 2
    for head in (
        "Reason:",
        "At:",
        "Causal path:",
        "Suggestion:",
        "C source:",
        "Log:",
        "Registers:",
    ):
        assert head in text
    assert re.search(r"5: \(71\) r1 = \*\(u8 \*\)\(r2 \+0\)", text)
    assert re.search(r"│ +a packet pointer, offset 14", text)
