"""Take out of a text what must not be written down: kernel addresses and private paths."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from verifier_diary.ownership import invoking_home

ADDRESS = "<address>"

# The lookbehinds stand behind the literal that they look at: so the search for it is fast.
# `(18) r1 = 0xffff8881048d0200`: a map or symbol pointer that the verifier printed for root.
# All-ones upper halves are constants of the program (masks), not addresses of data. With 5-level
# paging the kernel's half begins at 0xff11000000000000 (Documentation/arch/x86/x86_64/mm.rst);
# higher numbers may be constants of a hash.
_LOADED = re.compile(r"0xff(?<=\(18\) r\d = 0xff)(?:ff(?!ffff[0-7])|1[1-9a-f])[0-9a-f]{12}\b")
# What the verifier itself calls a pointer, wherever it is printed.
_POINTER = re.compile(
    r"\(18\) r\d = (0x[0-9a-f]{16})\b *; (?:frame\d+: )?R\d\w*=(?!scalar|inv|P)[a-z]"
)
# Anywhere else, but never a bound or a mask of a register: `umin=0x..`, `var_off=(0x0; 0x..)`.
_PRINTED = re.compile(r"0xffff(?<![=(;,\w]0xffff)(?<!; 0xffff)[89a-e][0-9a-f]{11}\b")
_BARE = re.compile(r"ffff(?<!\wffff)[89a-e][0-9a-f]{11}\b")


def strip_addresses(text: str) -> str:
    """Replace kernel addresses by a fixed token; a second pass changes nothing."""
    for address in set(_POINTER.findall(text)):
        text = text.replace(address, ADDRESS)
    for pattern in (_LOADED, _PRINTED, _BARE):
        text = pattern.sub(ADDRESS, text)
    return text


@cache
def repository() -> Path | None:
    """Return the checkout this package runs from, or None when it is installed elsewhere."""
    root = Path(__file__).resolve().parent.parent
    try:
        project = (root / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return None
    return root if re.search(r'^name\s*=\s*"glimpse-ebpf"', project, re.MULTILINE) else None


def relative(path: Path | str) -> str:
    """Return a path as it is written down: from the repository, or from the home (`~`)."""
    absolute = Path(path).resolve()
    for base, prefix in _bases():
        if absolute.is_relative_to(base):
            return prefix + str(absolute.relative_to(base))
    return str(absolute)


def strip_paths(text: str) -> str:
    """Shorten the repository's and the home's paths wherever they occur in a text."""
    for base, prefix in _bases():
        text = text.replace(f"{base}/", prefix)
    return text


def scrub(text: str) -> str:
    """Take out addresses and shorten paths."""
    return strip_paths(strip_addresses(text))


def _bases() -> list[tuple[Path, str]]:
    root = repository()
    home = invoking_home()
    bases = [(root, "")] if root else []
    return bases + ([(home, "~/")] if home != Path("/") else [])
