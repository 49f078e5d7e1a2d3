"""A host's pytest with a machine: `vagrant` is a script here that plays the guest in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vm.tree import LEFT_OUT, digest

ROOT = Path(__file__).resolve().parents[3]

VAGRANT = r"""#!/usr/bin/env bash
# Plays Vagrant: the guest is the folder $FAKE_GUEST, its commands run here.
set -eu
case "$1" in
status) printf '1,default,state,%s\n' "${FAKE_STATE:-running}" ;;
rsync)
	[ -z "${FAKE_RSYNC_FAILS:-}" ] || { echo "connection refused" >&2; exit 1; }
	mkdir -p "$FAKE_GUEST/tree"
	[ -n "${FAKE_STALE:-}" ] || cp -r . "$FAKE_GUEST/tree/."
	;;
ssh)
	echo "a greeting of the guest"
	if [ -n "${FAKE_HALF:-}" ]; then bash -c "$3" | head -n "$FAKE_HALF"; exit 0; fi
	exec bash -c "$3"
	;;
esac
"""

KERNEL_TESTS = """
import os
import pytest

def test_passes():
    assert os.environ["GLIMPSE_KERNEL"] == "local"

def test_fails():
    print("said before it failed")
    assert 1 == 2

def test_is_skipped():
    pytest.skip("the guest has no such feature")

@pytest.mark.parametrize("n", [1, 2])
def test_has_parameters(n):
    from pathlib import Path
    folder = Path(os.environ["GLIMPSE_JOURNAL_OF_TESTS"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "2026-01-01.jsonl").write_text("a line of the journal\\n")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a host's test, kernel tests, and this project's conftest and delegation."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "tests" / "vm", tree / "tests" / "vm", ignore=_caches)
    shutil.copytree(ROOT / "verifier_diary", tree / "verifier_diary", ignore=_folders)
    shutil.copy(ROOT / "tests" / "conftest.py", tree / "tests")
    shutil.copy(ROOT / "pyproject.toml", tree)
    (tree / "tests" / "kernel").mkdir()
    (tree / "tests" / "kernel" / "test_it.py").write_text(KERNEL_TESTS)
    (tree / "tests" / "test_host.py").write_text("def test_on_the_host():\n    pass\n")
    (tree / "bin").mkdir()
    (tree / "bin" / "vagrant").write_text(VAGRANT)
    (tree / "bin" / "vagrant").chmod(0o755)
    (tree / "bin" / "rsync").write_text(
        "#!/bin/sh\nfor last; do before=${this:-}; this=$last; done\n"
        'mkdir -p "$this" && cp -r "$before." "$this"\n'
    )
    (tree / "bin" / "rsync").chmod(0o755)
    return tree


# Of the diary a host needs the journal's module, none of its folders.
def _folders(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_dir()]


def _caches(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]


def run(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    guest = tree.parent / "guest"
    given = os.environ | {
        "PATH": f"{tree / 'bin'}:{os.environ['PATH']}",
        "FAKE_GUEST": str(guest),
        "GLIMPSE_GUEST_TREE": str(guest / "tree"),
        "GLIMPSE_GUEST_WORK": str(guest / "work"),
        "GLIMPSE_GUEST_PYTHON": sys.executable,
        "GLIMPSE_KERNEL": "vm",
        "GLIMPSE_JOURNAL": str(tree.parent / "journal"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # a host may have nothing but pytest
    }
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "GLIMPSE_TRACES"):
        given.pop(name, None)
    plain = ["-p", "no:cacheprovider", "-v"]
    command = [sys.executable, "-m", "pytest", *plain, *arguments]
    return subprocess.run(
        command, cwd=tree, env=given | environment, capture_output=True, text=True, timeout=120
    )


def test_reports_each_kernel_test_with_its_own_outcome(tree: Path) -> None:
    done = run(tree)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 failed" not in done.stdout
    for line in (
        r"test_host.py::test_on_the_host PASSED",
        r"test_it.py::test_passes PASSED",
        r"test_it.py::test_fails FAILED",
        r"test_it.py::test_is_skipped SKIPPED",
        r"test_it.py::test_has_parameters\[2\] PASSED",
    ):
        assert re.search(line, done.stdout), done.stdout
    assert "said before it failed" in done.stdout
    assert "assert 1 == 2" in done.stdout
    assert "the guest has no such feature" in done.stdout


def test_brings_the_journal_of_the_guest_home(tree: Path) -> None:
    run(tree, "-k", "parameters")
    kept = tree.parent / "journal" / "vm-2026-01-01.jsonl"
    assert kept.read_text() == "a line of the journal\n"


def test_runs_only_the_selected_tests_in_the_guest(tree: Path) -> None:
    done = run(tree, "tests/kernel/test_it.py::test_passes")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_asks_the_guest_once_under_xdist(tree: Path) -> None:
    done = run(
        tree, "-p", "xdist", "-n", "2", "--dist", "loadgroup", "-k", "passes or parameters or host"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_a_stale_guest_is_an_error(tree: Path) -> None:
    shutil.copytree(tree, tree.parent / "guest" / "tree", ignore=_caches)
    (tree.parent / "guest" / "tree" / "tests" / "test_host.py").write_text("old\n")
    done = run(tree, "-k", "passes", FAKE_STALE="1")
    assert "the guest's copy of the tree is not this tree" in done.stdout
    assert done.returncode == 1


def test_a_guest_that_is_down_is_an_error(tree: Path) -> None:
    done = run(tree, "-k", "passes", FAKE_STATE="poweroff")
    assert "the Vagrant machine is poweroff: start it with `vagrant up`" in done.stdout
    assert done.returncode == 1


def test_a_failing_sync_is_an_error(tree: Path) -> None:
    done = run(tree, "-k", "passes", FAKE_RSYNC_FAILS="1")
    assert "vagrant rsync failed: connection refused" in done.stdout


def test_half_an_answer_is_an_error(tree: Path) -> None:
    done = run(tree, "-k", "passes", FAKE_HALF="1")
    assert "the guest answered half; the end of what it printed:" in done.stdout
    assert "a greeting of the guest" in done.stdout


def test_without_vagrant_it_says_what_to_do(tree: Path) -> None:
    (tree / "bin" / "vagrant").unlink()
    done = run(tree, "-k", "passes", PATH=str(tree / "bin"))
    assert "vagrant is not installed" in done.stdout


def test_a_host_without_the_packages_runs_everything_in_the_guest(tree: Path) -> None:
    conftest = tree / "tests" / "conftest.py"
    text = conftest.read_text().replace('NEEDED = ("cffi",', 'NEEDED = ("no_such_package",', 1)
    conftest.write_text(text + '\nif os.environ["GLIMPSE_KERNEL"] == "local": NEEDED = ()\n')
    done = run(tree, "-k", "passes or host")
    assert "this host lacks no_such_package" in done.stdout
    assert "2 passed" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr


def test_none_of_both_says_how_to_get_them(tree: Path) -> None:
    conftest = tree / "tests" / "conftest.py"
    text = conftest.read_text().replace('NEEDED = ("cffi",', 'NEEDED = ("no_such_package",', 1)
    conftest.write_text(text)
    done = run(tree, GLIMPSE_KERNEL="none")
    assert done.returncode == 4
    assert "this host lacks no_such_package: `make test` installs them" in done.stderr


def test_an_unknown_choice_is_a_usage_error(tree: Path) -> None:
    done = run(tree, GLIMPSE_KERNEL="maybe")
    assert done.returncode == 4
    assert "GLIMPSE_KERNEL=maybe means nothing; use local, vm or none" in done.stderr


def test_the_digest_sees_names_and_contents_but_no_caches(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    first = digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("cached")
    assert digest(tmp_path) == first
    (tmp_path / "a").write_text("two")
    assert digest(tmp_path) != first


def test_vagrant_syncs_just_what_the_digest_covers() -> None:
    text = (ROOT / "Vagrantfile").read_text()
    block = re.search(r"rsync__exclude: \[(.*?)\]", text, re.DOTALL)
    assert block
    excluded = {name.rstrip("/") for name in re.findall(r'"([^"]+)"', block[1])}
    assert excluded == LEFT_OUT | {"*.egg-info", "*.pyc"}
