"""A cpio archive of files from anywhere: what the kernel unpacks as its first file system."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from lab.errors import EnvironmentProblem
from lab.matrix.tools import find

Tree = Mapping[str, Path | bytes | None]  # by absolute path in the guest; None is a folder
_EXECUTABLE = ("/init",)


def write(tree: Tree, target: Path) -> None:
    """Write a tree as a newc archive, owned by root; archives may be put one behind another."""
    tool = find("cpio")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".cpio-") as name:
        stage = Path(name)
        for path, content in sorted(tree.items()):
            _place(stage / path.lstrip("/"), content, executable=path in _EXECUTABLE)
        names = "\0".join(members(tree))
        command = [tool, "--create", "--format=newc", "--null", "--dereference", "--quiet"]
        with target.open("wb") as out:
            done = subprocess.run(
                [*command, "--owner=+0:+0", "--reproducible"],
                input=names.encode(),
                stdout=out,
                stderr=subprocess.PIPE,
                cwd=stage,
                check=False,
            )
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        raise EnvironmentProblem(f"cpio made no archive: {done.stderr.decode().strip()}")


def members(tree: Tree) -> list[str]:
    """Return the archive's members, each folder before what is in it, relative to the root."""
    paths = [PurePosixPath(path.lstrip("/")) for path in tree]
    every = {str(part) for path in paths for part in (path, *path.parents)} - {"."}
    return sorted(every, key=lambda name: PurePosixPath(name).parts)


# Links, not copies; cpio follows them.
def _place(path: Path, content: Path | bytes | None, *, executable: bool) -> None:
    if content is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
        path.chmod(0o755 if executable else 0o644)
    else:
        path.symlink_to(content.resolve())
