from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "provision.sh"
INSTALLED = "echo installed"


class Box:
    """Runs provision.sh with an /etc/os-release and commands of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.log = folder / "bin", folder / "log"
        self.bin.mkdir()
        self.headers = folder / "headers"
        self.os_release = folder / "os-release"
        for name in ("apt-get", "sudo", "ln"):
            self.command(name, "")
        self.command("bpftool", "")
        self.command("dpkg", "echo amd64")
        self.command("uname", 'case "$1" in -r) echo 6.0-test ;; *) echo Linux ;; esac')
        self.command("id", "echo 0")
        self.command("apt-cache", "exit 1")
        self.distribution("debian", "12")

    def command(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >> {self.log}\n{body}\n')
        path.chmod(0o755)

    def distribution(self, name: str, version: str) -> None:
        self.os_release.write_text(f'ID={name}\nVERSION_ID="{version}"\n')

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "GLIMPSE_OS_RELEASE": str(self.os_release),
            "GLIMPSE_HEADERS": str(self.headers),
        }
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, name: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(name)]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_nothing_is_installed_that_is_there(box: Box) -> None:
    box.command("dpkg-query", INSTALLED)
    done = box.run()
    assert done.returncode == 0
    assert "system packages: all 16 are installed" in done.stderr
    assert not [call for call in box.calls("apt-get") if " install " in call]


def test_what_boots_other_kernels_is_installed_when_asked_for(box: Box) -> None:
    box.command("dpkg-query", "")
    box.run()
    box.run("matrix")
    without, asked = [call for call in box.calls("apt-get") if " install " in call]
    assert "qemu-system-x86" not in without
    assert {"qemu-system-x86", "busybox-static", "cpio"} < set(asked.split())


def test_a_group_that_is_unknown_is_a_usage_error(box: Box) -> None:
    done = box.run("games")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: scripts/provision.sh knows no group games",
        "try: scripts/provision.sh, or scripts/provision.sh matrix",
    ]


def test_what_is_missing_is_named_and_installed_in_one_go(box: Box) -> None:
    box.command("dpkg-query", '[ "$4" != clang ] && [ "$4" != tcpreplay ] && echo installed')
    done = box.run()
    assert "installing system packages: clang tcpreplay\n" in done.stderr
    (call,) = [call for call in box.calls("apt-get") if " install " in call]
    assert call.endswith("--no-install-recommends clang tcpreplay")


@pytest.mark.parametrize(
    ("name", "version", "package", "foreign"),
    [
        ("debian", "12", "bpftool", "linux-tools-generic"),
        ("ubuntu", "24.04", "linux-tools-generic", "bpftool"),
    ],
)
def test_bpftool_comes_from_where_the_distribution_has_it(
    box: Box, name: str, version: str, package: str, foreign: str
) -> None:
    box.distribution(name, version)
    box.command("dpkg-query", "")
    box.run()
    (call,) = [call for call in box.calls("apt-get") if " install " in call]
    assert package in call.split()
    assert foreign not in call.split()


@pytest.mark.parametrize(("name", "version"), [("fedora", "41"), ("debian", "11")])
def test_another_distribution_gets_one_clear_error(box: Box, name: str, version: str) -> None:
    box.distribution(name, version)
    box.command("dpkg-query", "")
    done = box.run()
    assert done.returncode == 3
    message, what_to_do = done.stderr.splitlines()
    assert message == (
        f"error: this is {name}-{version}, and only debian-12 and ubuntu-24.04 are known"
    )
    assert what_to_do.startswith("try: install these with your own package manager, then run with")
    assert "GLIMPSE_PROVISION=no" in what_to_do
    assert "python3-bpfcc" in what_to_do


def test_without_root_and_sudo_what_is_missing_is_named(box: Box) -> None:
    box.command("dpkg-query", '[ "$4" != clang ] && echo installed')
    box.command("id", "echo 1000")
    box.command("sudo", "exit 1")
    done = box.run()
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "error: these packages are missing: clang, and this is neither root nor can it use sudo",
        "try: run scripts/provision.sh as root",
    ]


def test_an_ordinary_user_installs_through_sudo(box: Box) -> None:
    box.command("dpkg-query", '[ "$4" != clang ] && echo installed')
    box.command("id", "echo 1000")
    assert box.run().returncode == 0
    (call,) = [call for call in box.calls("sudo") if " install " in call]
    assert "DEBIAN_FRONTEND=noninteractive apt-get" in call


def test_a_failure_of_apt_says_what_to_look_at(box: Box) -> None:
    box.command("dpkg-query", "")
    box.command("apt-get", 'case "$*" in *" install "*) exit 100 ;; esac')
    done = box.run()
    assert done.returncode == 3
    assert "error: apt could not install the packages above" in done.stderr
    assert "universe" in done.stderr


def test_a_bpftool_that_wants_another_kernel_is_bypassed(box: Box) -> None:
    box.command("dpkg-query", INSTALLED)
    box.command("bpftool", "exit 2")
    box.command("find", "echo /usr/lib/linux-tools-6.8.0-9/bpftool")
    box.run()
    assert box.calls("ln") == [
        "ln -sfn /usr/lib/linux-tools-6.8.0-9/bpftool /usr/local/sbin/bpftool"
    ]


@pytest.fixture
def with_headers(box: Box, tmp_path: Path) -> Box:
    """Let apt know a package of headers with an architecture's part and a common part."""
    for part, name in (("common", "linux/version.h"), ("amd64", "generated/autoconf.h")):
        path = tmp_path / "debs" / part / f"usr/src/linux-headers-6.1.0-9-{part}/include/{name}"
        path.parent.mkdir(parents=True)
        path.write_text(part)
    box.command("dpkg-query", INSTALLED)
    box.command(
        "apt-cache",
        """case "$1 $2" in
        "depends linux-headers-amd64") echo "  Depends: linux-headers-6.1.0-9-amd64" ;;
        "depends linux-headers-6.1.0-9-amd64") echo "  Depends: linux-headers-6.1.0-9-common"
            echo "  Depends: linux-kbuild-6.1" ;;
        *) exit 1 ;;
        esac""",
    )
    box.command("apt-get", 'case "$*" in *" download "*) touch common.deb amd64.deb ;; esac')
    box.command("dpkg-deb", f'tar -c -C "{tmp_path}/debs/$(basename "$2" .deb)" ./usr')
    return box


def test_kernel_headers_are_merged_into_one_tree(with_headers: Box) -> None:
    assert with_headers.run().returncode == 0
    include = with_headers.headers / "current" / "include"
    assert (include / "linux/version.h").read_text() == "common"
    assert (include / "generated/autoconf.h").read_text() == "amd64"


def test_kernel_headers_that_are_there_are_not_fetched_again(with_headers: Box) -> None:
    with_headers.run()
    with_headers.log.unlink()
    assert "kernel headers:" in with_headers.run().stderr
    assert not with_headers.calls("apt-get")


def test_kernel_headers_that_cannot_be_fetched_are_an_error(with_headers: Box) -> None:
    with_headers.command("apt-get", "exit 100")
    done = with_headers.run()
    assert done.returncode == 3
    assert "error: the kernel headers could not be fetched" in done.stderr
    assert not (with_headers.headers / "current").exists()
