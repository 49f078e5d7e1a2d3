"""Every peer is measured against its paper, and its page says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.published import PUBLISHED, reproduce
from simulator.published.model import Published
from simulator.sketches import SKETCHES

PAGES = Path(__file__).parents[3] / "docs" / "sketches"
PEERS = sorted(set(SKETCHES) - {"tfm"})  # the TFM has no paper


def page_of(name: str) -> str:
    return (PAGES / f"{name.replace('_', '-')}.md").read_text("utf-8")


def number(value: float, low: float = 1.0, high: float = 2.0) -> Published:
    return Published(
        "coco", "p", "p", "s", "m", 1.5, low, high, lambda seed: value * seed, "theorem"
    )


@pytest.mark.parametrize(
    ("ours", "reproduced"), [(0.99, False), (1.0, True), (2.0, True), (2.01, False)]
)
def test_a_number_is_reproduced_within_its_tolerance(ours: float, reproduced: bool) -> None:
    result = reproduce(number(ours), seed=1)
    assert (result.ours, result.reproduced) == (ours, reproduced)


def test_the_seed_reaches_the_measurement() -> None:
    assert reproduce(number(1.0), seed=2).ours == 2.0


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_has_a_number_of_its_paper(name: str) -> None:
    assert [p for p in PUBLISHED if p.sketch == name], f"add {name} to simulator/published"


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda p: f"{p.sketch}-{p.metric[:20]}")
def test_every_number_lies_within_its_own_tolerance(published: Published) -> None:
    assert published.sketch in SKETCHES
    assert published.low <= published.value <= published.high
    assert published.paper
    assert published.setting
    assert published.source


@pytest.mark.parametrize("name", sorted(SKETCHES))
def test_every_page_has_the_same_parts(name: str) -> None:
    parts = ["Layout and memory", "Good and bad at", "Reproduced", "Deviations from the paper"]
    page = page_of(name)
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == parts
    assert page.startswith(f"# {name}\n")
    assert "**Paper.**" in page
    assert "**Laws.**" in page


@pytest.mark.parametrize("name", PEERS)
def test_every_page_names_the_first_author_and_the_command(name: str) -> None:
    page = page_of(name)
    for published in PUBLISHED:
        if published.sketch == name:
            assert published.paper.split()[0].rstrip(",") in page
    assert "python -m lab.evaluation.published" in page


@pytest.mark.parametrize("name", sorted(SKETCHES))
def test_the_overview_links_every_page(name: str) -> None:
    assert f"({name.replace('_', '-')}.md)" in (PAGES / "index.md").read_text("utf-8")
