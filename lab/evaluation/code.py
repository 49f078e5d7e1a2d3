"""Which code measured something: a digest of all that decides an accuracy."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECIDES = ("simulator", "lab/evaluation", "lab/memory.py")


def digest(root: Path = ROOT) -> str:
    """Return a digest of the sources that decide the accuracy columns; figures do not."""
    total = hashlib.sha256()
    for path in sorted(_sources(root)):
        total.update(f"{path.relative_to(root)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _sources(root: Path) -> list[Path]:
    found: list[Path] = []
    for name in DECIDES:
        place = root / name
        found += [place] if place.is_file() else place.rglob("*.py")
    return [path for path in found if "figures" not in path.parts]
