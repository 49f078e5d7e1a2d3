"""Turn an entry of the kernel list into files: an image, its configuration, its modules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentProblem
from lab.matrix import apt
from lab.matrix.apt import Apt
from lab.matrix.image import release_of
from lab.matrix.kernel_list import KernelEntry
from lab.matrix.modules import Module, needed_modules
from lab.output import message
from verifier_diary.ownership import inherit_owner, make_directory

_NO_KERNEL = ("-dbg", "-unsigned", "-signed-template")
_FACTS = "kernel.json"
_MODULE_TREES = ("lib/modules", "usr/lib/modules")


@dataclass(frozen=True)
class KernelFiles:
    """What is booted."""

    image: Path
    release: str  # as the image says
    modules: tuple[Module, ...]
    config: Path | None = None
    package: str | None = None  # with its version


def provide(entry: KernelEntry, cache: Path, tell: Callable[[str], None] = message) -> KernelFiles:
    """Return the files of an entry with a path or package; fetched ones are kept in `cache`."""
    if entry.path is not None:
        return _of_path(entry)
    return _of_package(entry, cache / "kernels", cache, tell)


def newest(pattern: str, names: Iterable[str]) -> str | None:
    """Return the newest package whose whole name matches; None if there is none."""
    found = [n for n in names if re.fullmatch(pattern, n) and not n.endswith(_NO_KERNEL)]
    return max(found, key=_natural, default=None)


def _of_path(entry: KernelEntry) -> KernelFiles:
    assert entry.path is not None
    release = release_of(entry.path)
    folder = entry.modules or _modules_beside(entry.path, release)
    if entry.modules and not entry.modules.is_dir():
        raise EnvironmentProblem(
            f"the module folder {entry.modules} does not exist",
            try_="correct `modules` in the kernel list",
        )
    config = entry.path.with_name(f"config-{release}")
    return KernelFiles(
        entry.path,
        release,
        needed_modules(folder) if folder else (),
        config if config.exists() else None,
    )


# A kernel without a module folder may have all that it needs inside.
def _modules_beside(image: Path, release: str) -> Path | None:
    roots = (image.resolve().parent.parent, image.resolve().parent, Path("/"))
    folders = (root / tree / release for root in roots for tree in _MODULE_TREES)
    return next((folder for folder in folders if folder.is_dir()), None)


def _of_package(
    entry: KernelEntry, folder: Path, cache: Path, tell: Callable[[str], None]
) -> KernelFiles:
    assert entry.package is not None
    kept = [path.parent.name for path in folder.glob(f"*/{_FACTS}")]
    offered = _offer(entry, cache, tell)
    names = offered.names if offered else []
    chosen = newest(entry.package, [*names, *kept])
    if chosen is None:
        where = offered.apt.where if offered else "this machine's apt"
        raise EnvironmentProblem(
            f"no package matches {entry.package!r} in {where}",
            try_="sudo apt-get update, or a `suite` in the kernel list",
        )
    if chosen not in kept:
        assert offered is not None
        tell(f"{entry.name}: fetching {chosen} from {offered.apt.where}")
        _fetch(offered.apt, chosen, folder / chosen)
    return _kept(folder / chosen)


@dataclass(frozen=True)
class _Offer:
    apt: Apt
    names: list[str]


# This machine's own sources come first: they may be a mirror nearby.
def _offer(entry: KernelEntry, cache: Path, tell: Callable[[str], None]) -> _Offer | None:
    assert entry.package is not None
    offer = None
    with _told(entry, tell):
        own = apt.of_this_machine()
        offer = _Offer(own, own.names())
        if newest(entry.package, offer.names):
            return offer
    if entry.suite:
        with _told(entry, tell):
            suite = apt.of_suite(entry.suite, cache, entry.mirror, entry.keyring)
            return _Offer(suite, suite.names())
    return offer


# What is kept from an earlier run may do.
@contextmanager
def _told(entry: KernelEntry, tell: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except EnvironmentProblem as problem:
        tell(f"{entry.name}: {problem}")


def _fetch(source: Apt, package: str, target: Path) -> None:
    make_directory(target.parent)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as name:
        work = Path(name)
        debs, tree, kernel = work / "debs", work / "tree", work / "kernel"
        for part in (debs, tree, kernel):
            part.mkdir()
        for deb in source.download([package, *source.parts(package)], debs):
            _unpack(deb, tree)
        _keep(tree, package, _version(debs, package), kernel)
        for path in (kernel, *kernel.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        kernel.rename(target)
    for path in (target, *target.rglob("*")):
        inherit_owner(path)


# Of 100 MB the image, its configuration and a module or two.
def _keep(tree: Path, package: str, version: str, target: Path) -> None:
    images = sorted(path for path in tree.rglob("vmlinuz*") if path.is_file())
    if not images:
        raise EnvironmentProblem(
            f"package {package} holds no kernel image (vmlinuz)",
            try_="another pattern in the kernel list: a metapackage holds nothing",
        )
    image = images[0]
    release = release_of(image)
    shutil.copy(image, target / "vmlinuz")
    config = next(iter(tree.rglob(f"config-{release}")), None)
    if config:
        shutil.copy(config, target / "config")
    trees = (tree / name / release for name in _MODULE_TREES)
    folder = next((found for found in trees if found.is_dir()), None)
    if folder is None:
        raise EnvironmentProblem(
            f"package {package} and what it needs hold no modules (lib/modules/{release})",
            try_="another suite or pattern in the kernel list; their package is missing there",
        )
    modules = needed_modules(folder)
    for module in modules:
        (target / f"{module.name}.ko").write_bytes(module.content)
    facts = {
        "package": f"{package} {version}",
        "release": release,
        "modules": [module.name for module in modules],
    }
    (target / _FACTS).write_text(json.dumps(facts) + "\n", encoding="utf-8")


def _kept(folder: Path) -> KernelFiles:
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    config = folder / "config"
    return KernelFiles(
        folder / "vmlinuz",
        facts["release"],
        tuple(Module(n, (folder / f"{n}.ko").read_bytes()) for n in facts["modules"]),
        config if config.exists() else None,
        facts["package"],
    )


def _unpack(deb: Path, tree: Path) -> None:
    done = subprocess.run(["dpkg", "-x", deb, tree], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EnvironmentProblem(
            f"{deb.name} cannot be unpacked: {done.stderr.strip()}",
            try_="free some space, then run it again",
        )


def _version(debs: Path, package: str) -> str:
    deb = next(debs.glob(f"{package}_*.deb"))
    return deb.name.split("_")[1].replace("%3a", ":")


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part or 0), text) for text, part in re.findall(r"(\D+)(\d*)", name)]
