"""Figures of an evaluation, one file each: SVG, and the CSV that it was drawn from beside it.

Add one: a module with `NAME`, `rows(tables) -> list of dicts` and `draw(rows) -> bytes`, where
`tables` is what the run measured, by table name. A module without rows draws nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
_NOT_OF_A_RUN = {"svg", "timeline"}


def names() -> list[str]:
    """Return the figures that an evaluation draws."""
    modules = (path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return sorted(name for name in modules if name not in _NOT_OF_A_RUN)


def draw_all(tables: Tables, folder: Path, origin: str) -> list[Path]:
    """Draw every figure that has data; `origin` (command and commit) heads each CSV."""
    from lab.evaluation import tables as files

    drawn = []
    for name in names():
        module = importlib.import_module(f"{__name__}.{name}")
        rows = module.rows(tables)
        if not rows:
            continue
        files.write_csv(folder / f"{name}.csv", rows, origin)
        path = folder / f"{name}.svg"
        path.write_bytes(module.draw(rows))
        drawn.append(path)
    return drawn
