"""Network namespaces without a name: they are gone with the last process in them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.toolchain import find

CLONE_NEWNET = 0x40000000
DEADLINE_S = 60
ROOT = Path(__file__).parents[2]


def ip(command: str) -> None:
    """Run iproute2 in the current namespace."""
    subprocess.run([find("ip"), *command.split()], check=True, capture_output=True)


@contextmanager
def entered() -> Iterator[None]:
    """Put this thread in a fresh network namespace without IPv6, whose own traffic would count."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        _without_ipv6()
        yield
    finally:
        assert libc.setns(home, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        os.close(home)


@contextmanager
def peer(interface: str) -> Iterator[int]:
    """Move an interface to a second namespace; yields the id of a process in it."""
    ours = Path("/proc/thread-self/ns/net").readlink()
    process = subprocess.Popen([find("unshare"), "--net", "sleep", "600"])
    try:
        theirs = Path(f"/proc/{process.pid}/ns/net")
        wait_until(lambda: theirs.readlink() != ours, "the second namespace is there")
        ip(f"link set {interface} netns {process.pid}")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def inside(pid: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the network namespace of a process."""
    return subprocess.run(
        [find("nsenter"), "-t", str(pid), "-n", *command],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )


def ping(pid: int, address: str) -> None:
    """Ping an address from the namespace of a process, until it answers."""
    inside(pid, sys.executable, "-c", _PING, address)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that is sure to come; fail if it does not."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s in vain: {what}"
        time.sleep(0.02)


def _without_ipv6() -> None:
    for scope in ("all", "default"):
        path = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if path.exists():
            path.write_text("1")


_PING = """
import socket, struct, sys, time
request = struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinging:
    pinging.settimeout(0.5)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            pinging.sendto(request, (sys.argv[1], 0))
            if pinging.recv(1500)[20] == 0:
                sys.exit(0)
        except OSError:
            time.sleep(0.1)
sys.exit("no answer")
"""
