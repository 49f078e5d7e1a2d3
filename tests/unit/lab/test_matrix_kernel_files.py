"""Images, modules and packages: what is booted, found or refused before anything is."""

from __future__ import annotations

import gzip
import lzma
import struct
from pathlib import Path

import pytest
import zstandard

from lab.errors import EnvironmentProblem
from lab.matrix import apt, packages
from lab.matrix.apt import Apt
from lab.matrix.image import release_of
from lab.matrix.kernel_list import KernelEntry
from lab.matrix.modules import depends, needed_modules

RELEASE = "6.1.0-9-test"


def image(path: Path, release: str = RELEASE) -> Path:
    """Write the head of a bzImage."""
    head = bytearray(2048)
    head[0x1FE:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x20E, 0x300)
    text = f"{release} (builder@host) #1".encode()
    head[0x500 : 0x500 + len(text)] = text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head)
    return path


def module(folder: Path, name: str, needs: str = "", pack=lambda data: data) -> None:
    path = folder / "kernel/drivers" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(b"\x7fELF...\0license=GPL\0depends=" + needs.encode() + b"\0name=x\0"))


def test_the_release_is_read_from_the_image(tmp_path: Path) -> None:
    assert release_of(image(tmp_path / "vmlinuz")) == RELEASE


def test_a_missing_image_says_so(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as error:
        release_of(tmp_path / "vmlinuz")
    assert str(error.value) == (
        f"the kernel image {tmp_path}/vmlinuz cannot be read: no such file or directory"
    )
    assert error.value.try_ == "correct its path in the kernel list"


def test_what_is_no_image_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("not a kernel")
    with pytest.raises(EnvironmentProblem) as error:
        release_of(tmp_path / "notes")
    assert str(error.value) == (
        f"{tmp_path}/notes is no kernel image that can be booted (it lacks the header of a bzImage)"
    )
    assert error.value.try_ == "name a vmlinuz or bzImage for x86-64"


def test_modules_come_after_those_they_need(tmp_path: Path) -> None:
    module(tmp_path, "veth.ko", "net-pool,other")
    module(tmp_path, "net_pool.ko", "deep")
    module(tmp_path, "deep.ko")
    module(tmp_path, "other.ko")
    assert [m.name for m in needed_modules(tmp_path)] == ["deep", "net_pool", "other", "veth"]


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("", bytes),
        (".xz", lzma.compress),
        (".gz", gzip.compress),
        (".zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_modules_are_unpacked(tmp_path: Path, suffix: str, pack) -> None:
    module(tmp_path, f"veth.ko{suffix}", pack=pack)
    (veth,) = needed_modules(tmp_path)
    assert veth.content.startswith(b"\x7fELF")


def test_what_is_built_in_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "modules.builtin").write_text("kernel/drivers/net/veth.ko\n")
    assert needed_modules(tmp_path) == ()


def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"has no module veth, and modules.builtin does"):
        needed_modules(tmp_path)


def test_a_module_without_a_list_needs_nothing() -> None:
    assert depends(b"\0license=GPL\0") == ()
    assert depends(b"\0depends=\0") == ()
    assert depends(b"\0depends=a,b-c\0") == ("a", "b_c")


def test_the_newest_package_counts_by_its_numbers() -> None:
    names = [
        "linux-image-6.12-cloud-amd64",
        "linux-image-6.12.9+deb12-cloud-amd64",
        "linux-image-6.12.117+deb12-cloud-amd64",
        "linux-image-6.12.118+deb12-cloud-amd64-dbg",
        "linux-image-6.12.119+deb12-cloud-amd64-unsigned",
    ]
    pattern = r"linux-image-6\.12.*-cloud-amd64.*"
    assert packages.newest(pattern, names) == "linux-image-6.12.117+deb12-cloud-amd64"
    assert packages.newest("linux-image-5", names) is None


def test_a_path_finds_modules_and_configuration_beside_it(tmp_path: Path) -> None:
    kernel = image(tmp_path / "boot" / f"vmlinuz-{RELEASE}")
    (tmp_path / "boot" / f"config-{RELEASE}").write_text("CONFIG_BPF=y")
    module(tmp_path / "lib/modules" / RELEASE, "veth.ko")
    found = packages.provide(KernelEntry("own", path=kernel), tmp_path / "cache")
    assert found.release == RELEASE
    assert [m.name for m in found.modules] == ["veth"]
    assert found.config == tmp_path / "boot" / f"config-{RELEASE}"


def test_a_module_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    entry = KernelEntry("own", path=image(tmp_path / "vmlinuz"), modules=tmp_path / "nowhere")
    with pytest.raises(EnvironmentProblem, match=r"the module folder .*nowhere does not exist"):
        packages.provide(entry, tmp_path)


class _Shop(Apt):
    """Packages without a network."""

    offered: tuple[str, ...] = ()

    def names(self) -> list[str]:
        return list(self.offered)


def test_no_package_that_matches_is_an_error_that_says_where(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apt, "of_this_machine", lambda: _Shop("this machine's apt"))
    with pytest.raises(EnvironmentProblem) as error:
        packages.provide(KernelEntry("new", package="linux-image-99"), tmp_path)
    assert str(error.value) == "no package matches 'linux-image-99' in this machine's apt"
    assert error.value.try_ == "sudo apt-get update, or a `suite` in the kernel list"


def test_a_kept_kernel_needs_no_apt(monkeypatch, tmp_path: Path) -> None:
    def broken() -> Apt:
        raise EnvironmentProblem("apt-cache is not here")

    monkeypatch.setattr(apt, "of_this_machine", broken)
    kept = tmp_path / "kernels" / "linux-image-6.1.0-9-test"
    image(kept / "vmlinuz")
    (kept / "veth.ko").write_bytes(b"veth")
    (kept / "kernel.json").write_text(
        f'{{"package": "linux-image-6.1.0-9-test 6.1.9-1", "release": "{RELEASE}", '
        '"modules": ["veth"]}'
    )
    told: list[str] = []
    entry = KernelEntry("6.1", package="linux-image-6.*")
    found = packages.provide(entry, tmp_path, told.append)
    assert (found.package, found.release) == ("linux-image-6.1.0-9-test 6.1.9-1", RELEASE)
    assert [m.content for m in found.modules] == [b"veth"]
    assert told == ["6.1: apt-cache is not here"]
