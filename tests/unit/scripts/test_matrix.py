from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"


class Tree:
    """A checkout in which set-up and the lab are the test's own."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log, self.bin = folder / "tree", folder / "log", folder / "bin"
        for part in (self.root / "scripts", self.root / ".venv/bin", self.bin):
            part.mkdir(parents=True)
        for name in ("lib.sh", "matrix"):
            shutil.copy(SCRIPTS / name, self.root / "scripts")
        for name in ("scripts/provision.sh", "scripts/setup", ".venv/bin/lab"):
            self.script(self.root / name, "exit 0")
        self.script(self.bin / "id", "echo 1000")
        self.script(self.bin / "sudo", '[ "$1" = -n ] || "$@"')

    def script(self, path: Path, body: str) -> None:
        path.write_text(f'#!/bin/bash\necho "{path.name} $*" >> {self.log}\n{body}\n')
        path.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("GLIMPSE_")}
        done = subprocess.run(
            [str(self.root / "scripts/matrix"), *arguments],
            env=inherited | {"PATH": f"{self.bin}:/usr/bin:/bin"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    def calls(self) -> list[str]:
        names = ("provision.sh", "setup", "sudo env", "lab")
        return [line for line in self.log.read_text().splitlines() if line.startswith(names)]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_packages_and_set_up_come_first_and_the_arguments_go_on(tree: Tree) -> None:
    code, _ = tree.run("--only", "6.1")
    assert code == 0
    first, second, *_, last = tree.calls()
    assert (first, second, last) == ("provision.sh matrix", "setup ", "lab matrix --only 6.1")


def test_the_exit_code_is_that_of_the_lab(tree: Tree) -> None:
    tree.script(tree.root / ".venv/bin/lab", "exit 8")
    assert tree.run()[0] == 8


def test_packages_that_cannot_be_installed_do_not_end_it(tree: Tree) -> None:
    tree.script(tree.root / "scripts/provision.sh", "exit 4")
    code, err = tree.run()
    assert code == 0
    assert "note: going on with what is installed" in err
    assert tree.calls()[-1] == "lab matrix"


def test_without_root_the_lab_runs_as_it_is(tree: Tree) -> None:
    tree.script(tree.bin / "sudo", "exit 1")
    assert tree.run()[0] == 0
    assert not [call for call in tree.calls() if call.startswith("sudo env")]
    assert tree.calls()[-1] == "lab matrix"


def test_the_system_is_left_alone_where_that_is_wanted(tree: Tree) -> None:
    tree.run(GLIMPSE_PROVISION="no")
    assert "provision.sh matrix" not in tree.calls()
