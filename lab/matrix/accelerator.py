"""Find by a real boot what runs a guest: /dev/kvm opens on machines where no guest ever starts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from lab.matrix import results
from lab.matrix.qemu import Accelerator, Boot, run
from lab.output import message
from verifier_diary.ownership import make_directory, write_atomically

DEVICE = Path("/dev/kvm")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LIMIT_S = 20.0  # with KVM it takes two or three


def accelerator(
    image: Path, initramfs: Path, cache: Path, tell: Callable[[str], None] = message
) -> Accelerator:
    """Return KVM if a guest of this image came up with it, else TCG; tried once per boot."""
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return Accelerator.TCG
    memory = cache / "matrix" / "accelerator.json"
    known = _remembered(memory)
    if known:
        return known
    found = Accelerator.KVM if _boots(image, initramfs, cache) else Accelerator.TCG
    if found is Accelerator.TCG:
        tell(f"{DEVICE} opens, but no guest starts with it within {LIMIT_S:.0f} s: using TCG")
    record = {"boot": _boot_id(), "accelerator": found}
    write_atomically(memory, f"{json.dumps(record)}\n".encode())
    return found


def _boots(image: Path, initramfs: Path, cache: Path) -> bool:
    folder = cache / "matrix" / "probe"
    make_directory(folder)
    boot = Boot(
        image,
        initramfs,
        folder / "console.log",
        folder / "results.log",
        Accelerator.KVM,
        LIMIT_S,
        LIMIT_S,
    )
    run(boot)
    return results.read(boot.results).exit_code == 0


def _remembered(memory: Path) -> Accelerator | None:
    try:
        record = json.loads(memory.read_text(encoding="utf-8"))
        return Accelerator(record["accelerator"]) if record["boot"] == _boot_id() else None
    except (OSError, ValueError, KeyError):
        return None


def _boot_id() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()
