"""The diary on disks that are full or read-only: real ones, which takes root to mount."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.diary import LOG, filed, rejected
from tests.kernel.conftest import needs_root
from verifier_diary import journal
from verifier_diary.store import Store

pytestmark = needs_root
ROOT = Path(__file__).parents[2]
LAB = f"{sys.executable} -m lab.cli diary"
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]
NOTHING_LOST = "what is not filed yet is still in the journal, or in its file"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.mkdir()
    return path


@pytest.fixture
def shell(disk: Path, tmp_path: Path) -> Shell:
    """Run commands with a disk of 2 MiB, which is gone with them."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(ROOT),
        "GLIMPSE_JOURNAL": str(tmp_path / "journal"),
        "GLIMPSE_DIARY": str(disk / "diary.db"),
    }

    def run(commands: str) -> subprocess.CompletedProcess[str]:
        script = f"mount -t tmpfs -o size=2m none {disk} && {commands}"
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """A diary with one entry."""
    path = tmp_path / "existing.db"
    with Store(path) as store:
        filed(store, rejected())
    return path


def test_a_diary_on_a_read_only_disk_is_read(shell: Shell, disk: Path, existing: Path) -> None:
    done = shell(f"cp {existing} {disk}/diary.db && mount -o remount,ro {disk} && {LAB} list")
    assert "packet_bounds  first" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_new_is_said_to_be_missing_there(
    shell: Shell, disk: Path, existing: Path, tmp_path: Path
) -> None:
    journal.append(rejected(5), tmp_path / "journal")
    done = shell(f"cp {existing} {disk}/diary.db && mount -o remount,ro {disk} && {LAB} list")
    assert done.returncode == 0
    assert "packet_bounds  first" in done.stdout
    assert done.stderr == (
        f"warning: the newest attempts are missing here: the diary {disk}/diary.db cannot be "
        f"written: {disk}/diary.db is read-only for you; {NOTHING_LOST}\n"
    )


def test_an_import_into_a_read_only_diary_is_an_error(
    shell: Shell, disk: Path, existing: Path, tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_text(LOG)
    done = shell(
        f"cp {existing} {disk}/diary.db && mount -o remount,ro {disk} && {LAB} import {log}"
    )
    assert done.returncode == 4
    assert done.stderr == (
        f"error: the diary {disk}/diary.db cannot be written: {disk}/diary.db is read-only for "
        f"you; {NOTHING_LOST}\n"
        "try: check who owns it, or set GLIMPSE_DIARY to a file of yours\n"
    )


def test_a_read_only_directory_without_a_diary_is_named(shell: Shell, disk: Path) -> None:
    done = shell(f"mount -o remount,ro {disk} && GLIMPSE_DIARY={disk}/a/b.db {LAB} list")
    assert done.returncode == 4
    assert done.stderr == (
        f"error: the diary {disk}/a/b.db cannot be written: {disk} is read-only for you; "
        f"{NOTHING_LOST}\n"
        "try: check who owns it, or set GLIMPSE_DIARY to a file of yours\n"
    )


def test_a_full_disk_is_told_and_loses_nothing(shell: Shell, disk: Path, tmp_path: Path) -> None:
    journal.append(rejected(), tmp_path / "journal")
    fill, free = f"head -c 2M /dev/zero > {disk}/fill 2>/dev/null", f"rm {disk}/fill"
    done = shell(f"{LAB} list --limit 1; echo; {fill}; {LAB} refresh; echo $?; {free}; {LAB} list")
    before, _, after = done.stdout.partition("\n\n")
    assert "packet_bounds  first" in before
    assert after.startswith("3\n")
    assert "packet_bounds  first" in after
    assert f"error: no space left for the diary {disk}/diary.db; {NOTHING_LOST}\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_without_room_for_a_diary_says_so_and_fills_it_later(
    shell: Shell, disk: Path, tmp_path: Path
) -> None:
    journal.append(rejected(), tmp_path / "journal")
    done = shell(
        f"head -c 2M /dev/zero > {disk}/fill 2>/dev/null; {LAB} list; echo $?; "
        f"rm {disk}/fill; {LAB} list"
    )
    assert done.stdout.startswith("3\n")
    assert "packet_bounds  first" in done.stdout
    assert "try: free some space, or set GLIMPSE_DIARY to a file on another disk" in done.stderr
    assert "Traceback" not in done.stderr
