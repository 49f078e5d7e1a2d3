"""Texts as Markdown that renders as what they are, whatever they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`[^`]+`)")
_SPECIAL = re.compile(r"[\\`*_\[\]#&<>|~]")
_BY_ENTITY = set("&<>|~")  # Python-Markdown knows no backslash before these
_LONGEST_TITLE = 120  # characters


def document(title: str, description: str, marker: str, parts: Iterable[str]) -> str:
    """Return a page with its front matter; a search engine shows title and description."""
    head = f"title: {_scalar(title)}\ndescription: {_scalar(description)}"
    body = "\n\n".join(parts).rstrip()
    return f"---\n{head}\n---\n\n{marker}\n\n{body}\n"


# A JSON string is one of YAML's, too.
def _scalar(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST_TITLE:
        line = f"{line[: _LONGEST_TITLE - 1].rstrip()}…"
    return json.dumps(line, ensure_ascii=False)


def escape(text: str) -> str:
    """Return prose in which nothing is markup but code in backticks, on one line."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(
        part if n % 2 and "|" not in part else _SPECIAL.sub(_escaped, part)
        for n, part in enumerate(parts)
    )


def _escaped(match: re.Match[str]) -> str:
    return _entity(match) if match[0] in _BY_ENTITY else f"\\{match[0]}"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def code(text: str) -> str:
    """Return an inline code span, on one line; '' for an empty text."""
    line = " ".join(text.split())
    if not line:
        return ""
    if "|" in line:
        return _html_code(line)
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


# A bar within a span splits the cell of a table on GitHub, and an escaped one shows its backslash
# in mkdocs. As HTML, without a character that Markdown knows, it is right in both.
def _html_code(line: str) -> str:
    return f"<code>{_SPECIAL.sub(_entity, line)}</code>"


def link(text: str, target: str) -> str:
    """Return a link; its text is Markdown already."""
    return f"[{text}]({target})"


def block(lines: Iterable[str], language: str = "text") -> str:
    """Return a fenced block."""
    text = "\n".join(lines)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are `escape`d or `code`; a bar within code splits no cell."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
