from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"


class Tree:
    """A checkout in which set-up, the lab and pytest are the test's own."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log = folder / "tree", folder / "log"
        self.bin = folder / "bin"
        for part in (self.root / "scripts", self.root / ".venv/bin", self.bin):
            part.mkdir(parents=True)
        for name in ("lib.sh", "run"):
            shutil.copy(SCRIPTS / name, self.root / "scripts")
        self.script("scripts/setup", "exit 0")
        self.script("scripts/provision.sh", "exit 0")
        self.lab(doctor=0)
        self.pytest("exit 0")
        # An ordinary user with sudo, whoever runs this test.
        self.command("id", "echo 1000")
        self.command("sudo", '[ "$1" = -n ] || "$@"')
        self.command("mount", "")
        self.command("find", "")

    def script(self, name: str, body: str) -> None:
        path = self.root / name
        path.write_text(f'#!/bin/bash\necho "{path.name} $*" >> {self.log}\n{body}\n')
        path.chmod(0o755)

    def command(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def lab(self, doctor: int, demo: int = 0) -> None:
        body = f'[ "$1" != doctor ] || exit {doctor}\n[ "$1" != demo ] || exit {demo}'
        self.script(".venv/bin/lab", body)

    def pytest(self, body: str) -> None:
        self.script(".venv/bin/python", f'echo "kernel $GLIMPSE_KERNEL" >> {self.log}\n{body}')

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("GLIMPSE_")}
        return subprocess.Popen(
            [str(self.root / "scripts/run"), *arguments],
            env=inherited | {"PATH": f"{self.bin}:/usr/bin:/bin"} | environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # an interrupt goes to all of a process group
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(*arguments, **environment)
        _, err = process.communicate(timeout=60)
        return process.returncode, err

    def calls(self, name: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(name)]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize("word", ["", "frob"])
def test_an_unknown_word_is_a_usage_error(tree: Tree, word: str) -> None:
    code, err = tree.run(*word.split())
    assert code == 2
    assert err.splitlines()[-1] == "try: scripts/run demo, or scripts/run test"


@pytest.mark.parametrize(("pytest_code", "code"), [(0, 0), (1, 8), (2, 8), (3, 1), (4, 2), (5, 2)])
def test_pytest_codes_become_the_documented_ones(tree: Tree, pytest_code: int, code: int) -> None:
    tree.pytest(f"exit {pytest_code}")
    assert tree.run("test")[0] == code


def test_the_kernel_part_is_insisted_on_where_the_doctor_is_content(tree: Tree) -> None:
    assert tree.run("test")[0] == 0
    assert set(tree.calls("kernel")) == {"kernel local"}


@pytest.mark.parametrize("code", [3, 4])
def test_without_bpf_the_rest_is_tested_and_the_code_says_why(tree: Tree, code: int) -> None:
    tree.lab(doctor=code)
    outcome, err = tree.run("test")
    assert outcome == code
    assert "note: no kernel is used: see what failed above" in err
    assert tree.calls("kernel") == ["kernel none"]


def test_without_bpf_a_failed_test_is_still_a_failed_test(tree: Tree) -> None:
    tree.lab(doctor=3)
    tree.pytest("exit 1")
    assert tree.run("test")[0] == 8


def test_without_root_the_code_is_4(tree: Tree) -> None:
    tree.command("sudo", "exit 1")
    code, err = tree.run("test")
    assert code == 4
    assert "this is neither root nor can it use sudo" in err
    assert not tree.calls("lab")


def test_a_person_who_asks_for_no_kernel_gets_0(tree: Tree) -> None:
    assert tree.run("test", GLIMPSE_KERNEL="none")[0] == 0
    assert not tree.calls("lab")


def test_a_person_who_insists_gets_the_kernel_tests_unasked(tree: Tree) -> None:
    tree.lab(doctor=3)
    assert tree.run("test", GLIMPSE_KERNEL="local")[0] == 0
    assert set(tree.calls("kernel")) == {"kernel local"}


def arguments(tree: Tree) -> list[str]:
    """Return what pytest was given, runs in order, workers left out."""
    calls = [call.split("-m pytest")[1].split() for call in tree.calls("python")]
    return [
        " ".join(w for w in words if w not in ("-n", "--dist", "loadgroup") and not w.isdigit())
        for words in calls
    ]


@pytest.mark.parametrize(
    ("given", "runs"),
    [
        ("", ["--ignore=tests/kernel", "tests/kernel"]),
        ("-k trip", ["-k trip --ignore=tests/kernel", "-k trip tests/kernel"]),
        ("tests", ["--ignore=tests/kernel", "tests/kernel"]),
        ("tests/unit/lab", ["tests/unit/lab"]),
        ("tests/kernel/test_x.py::test_y", ["tests/kernel/test_x.py::test_y"]),
        (
            "tests/unit tests/kernel/test_x.py",
            ["tests/unit --ignore=tests/kernel", "tests/kernel/test_x.py"],
        ),
    ],
)
def test_only_the_kernel_tests_run_as_root(tree: Tree, given: str, runs: list[str]) -> None:
    assert tree.run("test", *given.split())[0] == 0
    assert arguments(tree) == runs


def test_a_selection_that_is_empty_in_one_part_only_is_no_error(tree: Tree) -> None:
    tree.pytest('case "$*" in *--ignore*) exit 0 ;; *) exit 5 ;; esac')
    assert tree.run("test", "-k", "sizes")[0] == 0


@pytest.mark.parametrize("option", ["-n0", "--pdb", "-s"])
def test_a_person_who_steers_gets_no_workers(tree: Tree, option: str) -> None:
    tree.run("test", option)
    assert not [call for call in tree.calls("python") if "loadgroup" in call]


@pytest.mark.parametrize(
    ("doctor", "demo", "code"), [(0, 0, 0), (0, 8, 8), (3, 3, 3), (4, 3, 4), (3, 1, 1)]
)
def test_demo_ends_with_its_own_code_or_why_there_was_no_kernel(
    tree: Tree, doctor: int, demo: int, code: int
) -> None:
    tree.lab(doctor, demo)
    assert tree.run("demo", "--seconds", "3")[0] == code
    assert "lab demo --seconds 3" in tree.calls("lab")


def test_a_set_up_that_fails_ends_the_run_with_its_code(tree: Tree) -> None:
    tree.script("scripts/setup", "exit 3")
    assert tree.run("test")[0] == 3
    assert not tree.calls("python")


def test_system_packages_that_are_missing_do_not_end_the_run(tree: Tree) -> None:
    tree.script("scripts/provision.sh", "exit 4")
    assert tree.run("test", GLIMPSE_KERNEL="none")[0] == 0


def test_an_interrupt_is_130(tree: Tree) -> None:
    tree.pytest(
        f"trap 'exit 2' INT; touch {tree.log}.ready; for _ in {{1..600}}; do sleep 0.1; done"
    )
    process = tree.start("test", GLIMPSE_KERNEL="none")
    deadline = time.monotonic() + 30
    while not Path(f"{tree.log}.ready").exists():
        assert time.monotonic() < deadline, "pytest was never started"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
