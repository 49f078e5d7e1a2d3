"""What all figures share: colours, deterministic SVG, and text for those who cannot see it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

# Okabe and Ito's palette: told apart by people with any colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKERS = "osD^v<>Pd*hX"
STYLE: Mapping[str, Any] = {
    "svg.hashsalt": "glimpse",
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.grid": True,
    "grid.linewidth": 0.3,
}


def render(build: Callable[[], Any], title: str, description: str) -> bytes:
    """Return the SVG of the figure that `build` makes; the same data gives the same bytes."""
    import matplotlib

    style: Any = dict(STYLE)
    with matplotlib.rc_context(style):
        file = io.BytesIO()
        build().savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return with_text(file.getvalue(), title, description)


def with_text(svg: bytes, title: str, description: str) -> bytes:
    """Put a title and a description into an SVG: matplotlib writes none that a reader finds."""
    text = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    head, start, rest = svg.partition(b"<svg ")
    tag, close, body = rest.partition(b">")
    return b"".join([head, start, tag, b' role="img"', close, text.encode(), body])


def look(number: int) -> dict[str, Any]:
    """Return the colour and marker of the `number`th line of a figure."""
    return {
        "color": PALETTE[number % len(PALETTE)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 4,
        "linewidth": 1.2,
    }
