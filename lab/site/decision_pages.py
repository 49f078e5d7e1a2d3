"""The list of decisions, out of their own headings."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs/decisions"
HEAD = """# Decisions

Choices that a newcomer would otherwise undo, each with its context and what we lose by it.
"""
_HEADING = re.compile(r"^# (\d+)\. (.+)$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Return the index of the decisions; raises ValueError for one without a heading."""
    rows = [_row(path) for path in sorted(FOLDER.glob("[0-9]*.md"))]
    return {"decisions/index.md": "\n".join([HEAD, *rows, ""])}


def _row(path: Path) -> str:
    found = _HEADING.search(path.read_text("utf-8"))
    if found is None:
        raise ValueError(f"{path} does not begin with `# NUMBER. TITLE`")
    return f"- [{int(found[1]):04}: {found[2]}]({path.name})"
