"""A kernel image on disk: is it one, and of which release (Documentation/arch/x86/boot.rst)."""

from __future__ import annotations

import struct
from pathlib import Path

from lab.errors import EnvironmentProblem

_FLAG, _MAGIC, _VERSION = 0x1FE, 0x202, 0x20E
_SETUP = 0x200  # bytes that `kernel_version` counts from


def release_of(image: Path) -> str:
    """Return the release of an x86 bzImage, e.g. `6.1.0-56-cloud-amd64`.

    Raises EnvironmentProblem for a file that is missing, or no such image.
    """
    try:
        with image.open("rb") as file:
            head = file.read(1 << 16)
    except OSError as error:
        raise EnvironmentProblem(
            f"the kernel image {image} cannot be read: {(error.strerror or '').lower()}",
            try_="correct its path in the kernel list",
        ) from error
    if head[_MAGIC : _MAGIC + 4] != b"HdrS" or head[_FLAG : _FLAG + 2] != b"\x55\xaa":
        raise EnvironmentProblem(
            f"{image} is no kernel image that can be booted (it lacks the header of a bzImage)",
            try_="name a vmlinuz or bzImage for x86-64",
        )
    (at,) = struct.unpack_from("<H", head, _VERSION)
    text = head[at + _SETUP :].partition(b"\0")[0] if at else b""
    return text.decode("ascii", "replace").partition(" ")[0]
