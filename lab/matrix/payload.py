"""What each run brings along: the plan, the objects, the stored tests."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.matrix import archive, bytecode
from lab.matrix.modules import Module
from lab.matrix.programs import Listed
from lab.matrix.stored_tests import StoredTest

WORK = "/work"
ROOT = Path(__file__).resolve().parents[2]
# What lab.matrix.guest imports: of these folders the modules, not the folders inside.
PACKAGES = ("lab", "lab/libbpf", "lab/matrix/guest", "lab/matrix/__init__.py", "verifier_diary")


def write(folder: Path, programs: Sequence[Listed], tests: Sequence[StoredTest]) -> None:
    """Fill an empty folder with what lab.matrix.guest reads."""
    objects = folder / "objects"
    objects.mkdir()
    needed = {program.build.object for program in programs}
    needed |= {_glimpse(programs, test) for test in tests}
    places = {
        path: f"objects/{number:03}-{path.name}" for number, path in enumerate(sorted(needed))
    }
    for path, place in places.items():
        shutil.copyfile(path, folder / place)
    plan = {
        "programs": [_program(program, places) for program in programs],
        "tests": [
            {**test.plan(folder), "object_file": places[_glimpse(programs, test)]} for test in tests
        ],
    }
    (folder / "plan.json").write_text(json.dumps(plan) + "\n", encoding="utf-8")


def initramfs(folder: Path, modules: Sequence[Module], target: Path) -> None:
    """Pack a filled folder, the lab's own Python and a kernel's modules for a guest."""
    tree: dict[str, Path | bytes | None] = {
        f"{WORK}/{path.relative_to(folder).as_posix()}": path
        for path in folder.rglob("*")
        if path.is_file()
    }
    for package in PACKAGES:
        whole = ROOT / package
        for path in (whole,) if whole.is_file() else whole.glob("*.py"):
            tree[f"{WORK}/python/{path.relative_to(ROOT).as_posix()}"] = path
    for number, module in enumerate(modules):  # loaded in the order of their names
        tree[f"/modules/{number:02}-{module.name}.ko"] = module.content
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".payload-") as work:
        archive.write(bytecode.compiled(tree, Path(work)), target)


def _program(program: Listed, places: dict[Path, str]) -> dict[str, Any]:
    return {
        "object": program.build.stem,
        "file": places[program.build.object],
        "function": program.function,
        "expected": program.expected,
        "frame_helpers": program.frame_helpers,
        "full_log": program.lesson is not None,
    }


def _glimpse(programs: Sequence[Listed], test: StoredTest) -> Path:
    stem = f"glimpse_{test.settings.geometry.key.name}"
    return next(p.build.object for p in programs if p.build.stem == stem)
