"""Which kernels: a TOML list, the lab's own or the person's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import BadInput, UsageError_

DEFAULT = Path(__file__).with_name("kernels.toml")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian"
LIMIT_S = 600.0  # a guest without hardware virtualisation, on a busy machine, takes minutes
_SOURCES = ("running", "path", "package")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "running": bool,
    "path": str,
    "modules": str,
    "package": str,
    "suite": str,
    "mirror": str,
    "keyring": str,
    "limit": (int, float),
}
_ONLY_WITH = {"modules": "path", "suite": "package", "mirror": "suite", "keyring": "suite"}
_NAME = re.compile(r"[\w.+-]+")  # it names a folder, too


@dataclass(frozen=True)
class KernelEntry:
    """One kernel of the list, as it is written there."""

    name: str
    running: bool = False
    path: Path | None = None
    modules: Path | None = None
    package: str | None = None  # a regular expression
    suite: str | None = None
    mirror: str = MIRROR
    keyring: Path = KEYRING
    limit: float = LIMIT_S  # seconds


def read(path: Path = DEFAULT) -> tuple[KernelEntry, ...]:
    """Read a list; raises BadInput that names the entry and what is wrong with it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML: {error}", try_=f"an example: {DEFAULT}") from error
    listed = document.get("kernel")
    if set(document) - {"kernel"} or not isinstance(listed, list) or not listed:
        raise BadInput(
            f"{path} must hold [[kernel]] tables, and nothing else", try_=f"an example: {DEFAULT}"
        )
    entries = tuple(
        _entry(record, f"{path}: kernel {n}", path.parent) for n, record in _count(listed)
    )
    names = [entry.name for entry in entries]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"{path}: two kernels have the name {twice!r}", try_="rename one")
    return entries


def choose(entries: Sequence[KernelEntry], only: Sequence[str]) -> tuple[KernelEntry, ...]:
    """Return the entries of these names, in the order of the list; all if there are none."""
    known = [entry.name for entry in entries]
    for name in only:
        if name not in known:
            raise UsageError_(
                f"the list has no kernel {name!r}", try_=f"one of: {', '.join(known)}"
            )
    return tuple(entry for entry in entries if not only or entry.name in only)


def _count(listed: list[Any]) -> list[tuple[int, Any]]:
    return list(enumerate(listed, 1))


def _entry(record: Any, where: str, folder: Path) -> KernelEntry:
    if not isinstance(record, dict):
        raise BadInput(f"{where} is no table", try_=f"an example: {DEFAULT}")
    _check(record, where)
    values = dict(record)
    for name in ("path", "modules", "keyring"):
        if name in values:
            values[name] = folder / Path(values[name]).expanduser()
    return KernelEntry(**values)


def _check(record: dict[str, Any], where: str) -> None:
    for name, value in record.items():
        if name not in _TYPES:
            known = ", ".join(_TYPES)
            raise BadInput(f"{where} has an unknown field {name!r}", try_=f"one of: {known}")
        if not isinstance(value, _TYPES[name]) or (name == "limit" and isinstance(value, bool)):
            raise BadInput(f"{where}: {name} = {value!r} is of the wrong type")
    if not _NAME.fullmatch(record.get("name", "")):
        raise BadInput(f"{where} needs a name of letters, digits and any of . _ + -")
    where = f"{where} ({record['name']})"
    sources = [name for name in _SOURCES if record.get(name)]
    if len(sources) != 1:
        raise BadInput(
            f"{where} names {len(sources)} sources", try_=f"exactly one of: {', '.join(_SOURCES)}"
        )
    for name, other in _ONLY_WITH.items():
        if name in record and other not in record:
            raise BadInput(f"{where}: {name} means nothing without {other}")
    if record.get("limit", 1) <= 0:
        raise BadInput(f"{where}: limit must be more than 0 seconds")
    _check_pattern(record.get("package", ""), where)


def _check_pattern(pattern: str, where: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise BadInput(f"{where}: package is no regular expression: {error}") from error
