from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab import build, loader
from lab.attach import attach, interface_index
from lab.libbpf.link import query_xdp
from lab.toolchain import find
from tests.kernel import namespaces
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang, pytest.mark.xdist_group("trace_pipe")]

LAB = (sys.executable, "-m", "lab.cli")
LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{6}  cpu \d+  Packet Received")
Hello = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def hello(tmp_path: Path) -> Iterator[Hello]:
    """Start `lab hello` in a mount namespace of its own, and wait until it is attached."""
    with ExitStack() as running:

        def start(
            interface: str, *arguments: str, ready: bool = True, prefix: tuple[str, ...] = ()
        ) -> subprocess.Popen[str]:
            process = running.enter_context(
                subprocess.Popen(
                    [find("unshare"), "--mount", *prefix, *LAB, "hello", interface, *arguments],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    cwd=namespaces.ROOT,
                    env=os.environ | {"PYTHONPATH": str(namespaces.ROOT)},
                )
            )
            running.callback(process.kill)
            if ready:
                _read_until(process, "is attached")
            return process

        yield start


def _read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"lab hello ended before it said {words!r}")


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    out, err = process.communicate(timeout=namespaces.DEADLINE_S)
    return process.returncode, out.splitlines(), err


@pytest.fixture
def left() -> Iterator[str]:
    """Enter a namespace with two ends of a cable, both up."""
    with namespaces.entered():
        namespaces.ip("link add left type veth peer name right")
        for end in ("left", "right"):
            namespaces.ip(f"link set {end} up")
        yield "left"


def send(interface: str, frames: int = 1) -> None:
    """Send frames to whoever is at the other end."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        for _ in range(frames):
            wire.send(bytes(12) + b"\x88\xb5" + bytes(46))


def test_hello_shows_a_real_ping(left: str, hello: Hello) -> None:
    namespaces.ip("address add 10.9.9.1/24 dev left")
    with namespaces.peer("right") as pid:
        namespaces.inside(pid, find("ip"), "address", "add", "10.9.9.2/24", "dev", "right")
        namespaces.inside(pid, find("ip"), "link", "set", "right", "up")
        process = hello(left, "--count", "1")
        namespaces.ping(pid, "10.9.9.1")
        code, lines, messages = ended(process)
    assert code == 0
    assert len(lines) == 1
    assert LINE.fullmatch(lines[0])
    assert "detached from left" in messages


def test_count_ends_after_so_many_lines(left: str, hello: Hello) -> None:
    process = hello(left, "--count", "3")
    send("right", 5)
    code, lines, _ = ended(process)
    assert code == 0
    assert len(lines) == 3
    assert query_xdp(interface_index(left)) == ()


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_signal_detaches(left: str, hello: Hello, number: int, expected: int) -> None:
    process = hello(left)
    assert len(query_xdp(interface_index(left))) == 1
    process.send_signal(number)
    code, lines, messages = ended(process)
    assert (code, lines) == (expected, [])
    assert "detached from left" in messages
    assert query_xdp(interface_index(left)) == ()


def test_two_at_once_show_their_own_packets_only(left: str, hello: Hello) -> None:
    quiet, busy = hello("right"), hello(left, "--count", "2")
    send("right", 2)
    assert len(ended(busy)[1]) == 2
    quiet.send_signal(signal.SIGTERM)
    assert ended(quiet)[:2] == (0, [])


def test_attach_option_chooses_the_mode(left: str, hello: Hello) -> None:
    hello(left, "--attach", "generic")
    assert [found.mode for found in query_xdp(interface_index(left))] == ["generic"]


def test_no_instance_of_the_trace_pipe_is_left(left: str, hello: Hello) -> None:
    process = hello(left, "--count", "1")
    send("right")
    ended(process)
    assert f"glimpse-{process.pid}-" not in _instances()


def test_instance_of_a_killed_hello_goes_with_the_next(left: str, hello: Hello) -> None:
    killed = hello(left)
    assert f"glimpse-{killed.pid}-" in _instances()
    killed.kill()
    killed.wait()
    process = hello(left, "--count", "1")
    assert f"glimpse-{killed.pid}-" not in _instances()
    send("right")
    assert ended(process)[0] == 0


# In a mount namespace of its own, too: the machine's is left as it is.
def _instances() -> str:
    script = "mount -t tracefs tracefs /sys/kernel/tracing; ls /sys/kernel/tracing/instances"
    done = subprocess.run(
        [find("unshare"), "--mount", "sh", "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_deleted_interface_ends_with_6(left: str, hello: Hello) -> None:
    process = hello(left)
    namespaces.ip("link delete left")
    code, _, messages = ended(process)
    assert code == 6
    assert "error: the interface is gone" in messages


def test_unknown_interface_ends_with_6_and_names_the_others(left: str, hello: Hello) -> None:
    code, lines, messages = ended(hello("eth7", ready=False))
    assert (code, lines) == (6, [])
    problem, what_to_do = messages.splitlines()
    assert problem == "error: there is no interface 'eth7' in this network namespace"
    assert what_to_do.startswith("try: one of: lo, ")


def test_occupied_interface_ends_with_5_and_stays_as_it_was(left: str, hello: Hello) -> None:
    with loader.load(build.object_path("hello")) as other, attach(other.program, left) as link:
        code, lines, messages = ended(hello(left, ready=False))
        assert (code, lines) == (5, [])
        assert f"program id {link.program_id()} (native)" in messages
        assert link.alive()


def test_missing_privilege_ends_with_4(left: str, hello: Hello) -> None:
    without = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
    code, lines, messages = ended(hello(left, ready=False, prefix=without))
    assert (code, lines) == (4, [])
    assert "loading hello needs CAP_BPF and CAP_NET_ADMIN" in messages
    assert "sudo" in messages


def test_tracefs_that_cannot_be_mounted_ends_with_4(left: str, hello: Hello) -> None:
    hide = 'umount -lR /sys/kernel/debug /sys/kernel/tracing 2>/dev/null; exec "$@"'
    without = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--")
    code, lines, messages = ended(
        hello(left, ready=False, prefix=("sh", "-c", hide, "sh", *without))
    )
    assert (code, lines) == (4, [])
    assert "error: tracefs is not mounted, and cannot be" in messages
    assert "try: sudo mount -t tracefs tracefs /sys/kernel/tracing" in messages
    assert query_xdp(interface_index(left)) == ()


def test_closed_pipe_ends_with_0(left: str, hello: Hello) -> None:
    process = hello(left)
    assert process.stdout
    process.stdout.close()
    send("right")
    process.wait(timeout=namespaces.DEADLINE_S)
    assert process.returncode == 0
    assert query_xdp(interface_index(left)) == ()
