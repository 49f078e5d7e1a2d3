"""The modules that a guest needs, with what those need, decompressed, in the order of loading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentProblem

NEEDED = ("veth",)
# In a module's .modinfo section: `depends=` and a comma-separated list, between zeros.
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_SUFFIX = re.compile(r"\.ko(\.\w+)?$")


@dataclass(frozen=True)
class Module:
    """A kernel module as the guest loads it."""

    name: str
    content: bytes


def needed_modules(folder: Path) -> tuple[Module, ...]:
    """Return the modules of lib/modules/RELEASE that a guest loads; built-in ones need none.

    depmod would write into the folder, which may be the person's own, so the modules themselves
    are asked what they depend on.
    """
    found: dict[str, Module] = {}
    index = {
        _name(path): path for path in sorted(folder.rglob("*.ko*")) if _SUFFIX.search(path.name)
    }
    for name in NEEDED:
        if name not in builtin(folder):
            _collect(name, index, found, folder)
    return tuple(found.values())


def builtin(folder: Path) -> set[str]:
    """Return the names of the modules that are part of the image."""
    try:
        lines = (folder / "modules.builtin").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {_name(Path(line)) for line in lines}


def depends(content: bytes) -> tuple[str, ...]:
    """Return the names of the modules that a module says it needs."""
    match = _DEPENDS.search(content)
    names = match[1].decode("ascii", "replace").split(",") if match else []
    return tuple(_plain(name) for name in names if name)


def decompressed(path: Path) -> bytes:
    """Return a module's bytes, whatever it is packed with."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        import lzma

        return lzma.decompress(data)
    if path.suffix == ".gz":
        import gzip

        return gzip.decompress(data)
    if path.suffix == ".zst":
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def _collect(name: str, index: dict[str, Path], found: dict[str, Module], folder: Path) -> None:
    if name in found:
        return
    if name not in index:
        raise EnvironmentProblem(
            f"{folder} has no module {name}, and modules.builtin does not name it",
            try_="name the kernel's own lib/modules/RELEASE with `modules` in the kernel list",
        )
    content = decompressed(index[name])
    for other in depends(content):
        if other not in builtin(folder):
            _collect(other, index, found, folder)
    found[name] = Module(name, content)


def _name(path: Path) -> str:
    return _plain(_SUFFIX.sub("", path.name))


# The kernel takes - and _ for the same.
def _plain(name: str) -> str:
    return name.replace("-", "_")
