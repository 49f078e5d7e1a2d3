"""What the demo leaves on disk: its report as JSON, and the timeline."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.demo.report import SCHEMA
from lab.output import Format, Report, message, write
from verifier_diary.ownership import write_atomically


def save(folder: Path, document: dict[str, Any]) -> Iterator[Path]:
    """Write the files, and yield the path of each."""
    text = io.StringIO()
    write(Report(SCHEMA, metadata=document), Format.JSON, text)
    yield _write(folder / "demo.json", text.getvalue().encode())
    try:
        from lab.evaluation.figures import timeline

        picture = timeline.draw(document)
    except ImportError:
        message("note: no timeline.svg, because matplotlib is missing; `make setup` installs it")
        return
    yield _write(folder / "timeline.svg", picture)


def _write(path: Path, data: bytes) -> Path:
    write_atomically(path, data)
    return path
