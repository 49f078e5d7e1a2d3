"""A veth pair in this network namespace, on which nobody else speaks, and frames on it."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.matrix.guest.testing import Failed

SENDER, RECEIVER = "gm0", "gm1"
OTHER = 0x88B5  # an EtherType for local experiments (IEEE 802): never IP
DEADLINE_S = 20.0  # a guest without hardware virtualisation is slow


@contextmanager
def pair(mtu: int = 1500) -> Iterator[None]:
    """Make the pair, wait until it carries, and remove it."""
    for scope in ("all", "default"):  # router solicitations would be frames that nobody sent
        with suppress(OSError):
            Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
    sizes = ("mtu", str(mtu))
    _ip("link", "add", SENDER, *sizes, "type", "veth", "peer", "name", RECEIVER, *sizes)
    try:
        for end in (SENDER, RECEIVER):
            _ip("link", "set", end, "up")
        wait_until(lambda: all(map(_carries, (SENDER, RECEIVER))), "the pair carries")
        yield
    finally:
        _ip("link", "delete", SENDER)


def send(frames: list[bytes]) -> None:
    """Send frames in this order."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((SENDER, 0))
        for frame in frames:
            wire.send(frame)


def udp_frame(source: int, length: int) -> bytes:
    """Return an Ethernet frame of `length` bytes: UDP from 10.0.0.0 + `source`."""
    total = length - 14
    ip = bytes([0x45, 0]) + total.to_bytes(2, "big") + bytes([0, 0, 0, 0, 64, 17, 0, 0])
    addresses = (0x0A000000 + source).to_bytes(4, "big") + bytes([10, 255, 0, 1])
    udp = (1000).to_bytes(2, "big") + (9).to_bytes(2, "big") + (total - 20).to_bytes(2, "big")
    return (_head(0x0800) + ip + addresses + udp).ljust(length, b"\0")


def other_frame() -> bytes:
    """Return a frame of 60 bytes that is not IP."""
    return _head(OTHER).ljust(60, b"\0")


def source_key(source: int) -> bytes:
    """Return the key that glimpse makes of `udp_frame(source)`: ::ffff:10.x.x.x."""
    return bytes(10) + b"\xff\xff" + (0x0A000000 + source).to_bytes(4, "big")


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Poll until something holds; raises Failed after DEADLINE_S seconds."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        if time.monotonic() > deadline:
            raise Failed(f"after {DEADLINE_S:.0f} s it still did not hold that {what}")
        time.sleep(0.02)


def _head(kind: int) -> bytes:
    return bytes.fromhex("020000000002020000000001") + kind.to_bytes(2, "big")


def _carries(interface: str) -> bool:
    (link,) = json.loads(_ip("-json", "link", "show", "dev", interface))
    return "LOWER_UP" in link["flags"]


def _ip(*words: str) -> str:
    tool = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin") or "ip"
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    if "Unknown device type" in done.stderr:
        raise OSError(errno.ENODEV, "this kernel has no veth: its modules were not found")
    if done.returncode != 0:
        raise Failed(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
