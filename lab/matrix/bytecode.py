"""Python sources as bytecode that is imported without them."""

from __future__ import annotations

import py_compile
from pathlib import Path

from lab.matrix.archive import Tree


def compiled(tree: Tree, work: Path) -> dict[str, Path | bytes | None]:
    """Return the tree with `x.pyc` for every `x.py`; the files are made in `work`."""
    out: dict[str, Path | bytes | None] = {}
    folder = work / "bytecode"
    for path, content in tree.items():
        if isinstance(content, Path) and path.endswith(".py"):
            target = folder / f"{path.lstrip('/')}c"
            _compile(content, target, path)
            out[f"{path}c"] = target
        else:
            out[path] = content
    return out


# Never checked against a source, for there is none.
def _compile(source: Path, target: Path, name: str) -> None:
    py_compile.compile(
        str(source),
        cfile=str(target),
        dfile=name,
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        quiet=1,
    )
