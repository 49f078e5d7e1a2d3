from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem
from lab.matrix import apt


@pytest.fixture
def tools(monkeypatch, tmp_path: Path) -> Path:
    """Put commands of the test's own before all others, and log how they are called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def command(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> {folder}/log\n{body}\n')
    path.chmod(0o755)


def test_names_are_what_apt_lists(tools: Path) -> None:
    command(tools, "apt-cache", "echo 'linux-image-6.1.0-9-amd64 - Linux 6.1 for 64-bit PCs'")
    assert apt.of_this_machine().names() == ["linux-image-6.1.0-9-amd64"]


def test_only_what_holds_image_or_modules_is_a_part(tools: Path) -> None:
    said = "  Depends: kmod\n  Depends: linux-binary-7.1\n  Depends: linux-modules-7.1\n"
    command(tools, "apt-cache", f"printf '{said}  Suggests: linux-modules-extra'")
    assert apt.of_this_machine().parts("linux-image-7.1") == [
        "linux-binary-7.1",
        "linux-modules-7.1",
    ]


def test_a_failure_says_with_whose_sources_and_why(tools: Path) -> None:
    command(tools, "apt-get", "echo 'E: no such host' >&2; exit 100")
    with pytest.raises(EnvironmentProblem) as error:
        apt.of_this_machine().download(["linux-image-6.1"], tools)
    assert str(error.value) == (
        "apt-get linux-image-6.1 failed with this machine's apt: E: no such host"
    )
    assert error.value.try_ == "check the network and the package sources, then run it again"


def test_without_apt_kernels_are_named_by_path(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="apt-cache is not here") as error:
        apt.of_this_machine().names()
    assert error.value.try_ == "name kernel images by their path in a kernel list"


def test_a_suite_has_lists_of_its_own_and_fetches_them_once(tools: Path, tmp_path: Path) -> None:
    keyring = tmp_path / "keys.gpg"
    keyring.touch()
    command(tools, "apt-get", "")
    command(tools, "apt-cache", "")
    for _ in range(2):
        suite = apt.of_suite("sid", tmp_path / "cache", "http://mirror", keyring)
    suite.names()
    (sources,) = tmp_path.glob("cache/apt/sid-*/sources.list")
    assert sources.read_text() == f"deb [arch=amd64 signed-by={keyring}] http://mirror sid main\n"
    updates = [line for line in (tools / "log").read_text().splitlines() if "update" in line]
    assert len(updates) == 1
    assert f"Dir::Etc::SourceList={sources}" in updates[0]


def test_lists_that_are_old_do_when_there_is_no_network(monkeypatch, tools, tmp_path) -> None:
    keyring = tmp_path / "keys.gpg"
    keyring.touch()
    command(tools, "apt-get", "")
    apt.of_suite("sid", tmp_path, keyring=keyring)
    command(tools, "apt-get", "exit 100")
    monkeypatch.setattr(apt, "FRESH_S", 0.0)
    assert apt.of_suite("sid", tmp_path, keyring=keyring).where == "suite sid"


def test_a_suite_without_its_keyring_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as error:
        apt.of_suite("sid", tmp_path, keyring=tmp_path / "none.gpg")
    assert str(error.value) == (
        f"{tmp_path}/none.gpg is missing, so packages of sid cannot be trusted"
    )
    assert error.value.try_ == "sudo apt-get install debian-archive-keyring"
