from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from lab import testbed
from lab.datapath import DatapathSettings
from lab.errors import LabError
from lab.kernel_datapath import KernelDatapath
from lab.libbpf.link import Mode, attach_xdp
from lab.testbed import Generator, Player
from lab.testbed.traffic import instances
from simulator import geometry
from simulator.frames import Frames
from simulator.glimpse import Retired
from simulator.layout import SRC, Setting, Verdict
from simulator.traffic import frames_for, keys_of
from tests.kernel.conftest import needs_clang, needs_root

NAMESPACES = Path("/var/run/netns")
SOURCES = np.array([0x0100000A, 0x0200000A, 0x0300000A], np.uint32)  # 10.0.0.1, .2, .3
NO_SUCH_PID = (1 << 22) + 1  # the kernel's highest is 1 << 22

pytestmark = [needs_root, needs_clang, pytest.mark.xdist_group("testbed")]


def ours() -> list[str]:
    return sorted(p.name for p in NAMESPACES.glob(f"glimpse-{os.getpid()}*"))


def key(source: np.uint32) -> bytes:
    return bytes(10) + b"\xff\xff" + source.tobytes()


def counts(retired: Retired) -> dict[bytes, int]:
    packets = retired.exact_records[:, 0]
    return {k.tobytes(): int(n) for k, n in zip(retired.exact_keys, packets, strict=True)}


class Receiver:
    """glimpse at the receiving end, all exact."""

    def __init__(
        self, bed: testbed.Testbed, stack: ExitStack, verdict: Verdict = Verdict.DROP
    ) -> None:
        shape = geometry.for_memory(1 << 16, SRC, instances())
        settings = DatapathSettings(shape, 4096, Setting.HIGH)
        self.datapath = KernelDatapath(settings, stack, live=True, verdict=verdict)
        with bed.run_in(bed.receiver):
            link = attach_xdp(self.datapath.program, bed.receiver.ifindex, Mode.NATIVE)
        stack.enter_context(link)

    def seen(self) -> tuple[int, int, Retired]:
        retired = self.datapath.swap_epoch()
        headers = retired.headers
        return int(headers["seen"].sum()), int(headers["seen_bytes"].sum()), retired


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def bed(stack: ExitStack) -> testbed.Testbed:
    return stack.enter_context(testbed.Testbed())


@pytest.fixture
def receiver(bed: testbed.Testbed, stack: ExitStack) -> Receiver:
    return Receiver(bed, stack)


def generator(bed: testbed.Testbed, stack: ExitStack) -> Generator:
    frame = frames_for(np.frombuffer(key(SOURCES[0]), np.uint64)[None, :]).frame(0)
    return stack.enter_context(Generator(bed, frame, SOURCES))


def finished(sending: object) -> int:
    while sending.running():
        time.sleep(0.01)
    return sending.offered()


def test_testbed_leaves_no_namespace() -> None:
    before = ours()
    with testbed.Testbed():
        inside = ours()
    assert [name[-2:] for name in inside if name not in before] == ["rx", "tx"]
    assert ours() == before


def test_testbed_leaves_no_namespace_after_an_exception() -> None:
    before = ours()
    with pytest.raises(KeyboardInterrupt), testbed.Testbed():
        raise KeyboardInterrupt
    assert ours() == before


def test_testbed_that_cannot_be_finished_leaves_no_namespace() -> None:
    before = ours()
    with pytest.raises(LabError, match="the testbed cannot be made"), testbed.Testbed(mtu=10**9):
        pass
    assert ours() == before


def test_testbed_removes_what_a_killed_process_left() -> None:
    from pyroute2 import netns

    name = f"glimpse-{NO_SUCH_PID}-tx"
    netns.create(name)
    with testbed.Testbed():
        assert name not in netns.listnetns()


def test_two_testbeds_do_not_disturb_each_other(bed: testbed.Testbed) -> None:
    with testbed.Testbed() as second:
        assert second.sender.namespace != bed.sender.namespace
    assert bed.statistics().sender.tx_packets == 0


def test_run_in_moves_this_thread_and_brings_it_back(bed: testbed.Testbed) -> None:
    home = Path("/proc/thread-self/ns/net").readlink()
    with bed.run_in(bed.receiver):
        assert [name for _, name in socket.if_nameindex()] == ["lo", "rx0"]
        assert Path("/proc/thread-self/ns/net").readlink() != home
    assert Path("/proc/thread-self/ns/net").readlink() == home


def test_run_in_a_namespace_that_somebody_removed_says_so(bed: testbed.Testbed) -> None:
    from pyroute2 import netns

    netns.remove(bed.sender.namespace)
    with pytest.raises(LabError, match=f"{bed.sender.namespace} is gone"), bed.run_in(bed.sender):
        pass


def test_both_ends_have_the_mtu_asked_for() -> None:
    with testbed.Testbed(mtu=9000) as bed:
        for end in (bed.sender, bed.receiver):
            with bed.run_in(end), socket.socket() as any_socket:
                assert mtu_of(any_socket, end.interface) == 9000


def mtu_of(any_socket: socket.socket, interface: str) -> int:
    import fcntl
    import struct

    answer = fcntl.ioctl(any_socket, 0x8921, struct.pack("16si8x", interface.encode(), 0))
    return struct.unpack("16si8x", answer)[1]


def test_ends_have_no_ipv6_address(bed: testbed.Testbed) -> None:
    for end in (bed.sender, bed.receiver):
        with bed.run_in(end):
            addresses = Path("/proc/thread-self/net/if_inet6")
            assert not addresses.exists() or end.interface not in addresses.read_text()


def test_generator_sends_its_sources_in_their_order(
    bed: testbed.Testbed, stack: ExitStack, receiver: Receiver
) -> None:
    sender = generator(bed, stack)
    with bed.run_in(bed.sender):
        sender.send(5)
    assert sender.position == 5
    assert counts(receiver.seen()[2]) == {
        key(SOURCES[0]): 2,
        key(SOURCES[1]): 2,
        key(SOURCES[2]): 1,
    }


def test_generated_frames_are_those_of_the_twin(bed: testbed.Testbed, stack: ExitStack) -> None:
    Receiver(bed, stack, Verdict.PASS)
    sender = generator(bed, stack)
    with bed.run_in(bed.receiver):
        tap = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300))
    tap.bind((bed.receiver.interface, 0x0003))
    tap.settimeout(10)
    with bed.run_in(bed.sender):
        sender.send(len(SOURCES))
    keys = np.array([np.frombuffer(key(source), np.uint64) for source in SOURCES])
    expected = frames_for(keys)
    assert [tap.recv(2048) for _ in SOURCES] == [expected.frame(i) for i in range(len(SOURCES))]


def test_generated_packets_are_seen_or_counted_as_dropped(
    bed: testbed.Testbed, stack: ExitStack, receiver: Receiver
) -> None:
    before = bed.statistics()
    offered = finished(generator(bed, stack).start(200_000, 2e6))
    counted = bed.statistics() - before
    assert offered == 200_000
    assert receiver.seen()[0] == counted.receiver.xdp_packets == offered - counted.dropped
    assert counted.receiver.xdp_drops == counted.receiver.xdp_packets


def test_stopped_generator_knows_what_it_sent(
    bed: testbed.Testbed, stack: ExitStack, receiver: Receiver
) -> None:
    before = bed.statistics()
    sending = generator(bed, stack).start(1 << 40, 1e6)
    while sending.offered() == 0:
        time.sleep(0.01)
    sending.stop()
    dropped = (bed.statistics() - before).dropped
    assert receiver.seen()[0] == sending.offered() - dropped


def test_player_sends_frames_over_and_over_at_their_whole_length(
    bed: testbed.Testbed, stack: ExitStack, receiver: Receiver
) -> None:
    keys = keys_of(np.arange(10), SRC, 1)
    frames = frames_for(keys, np.full(10, 700, np.uint32))  # of which only headers are captured
    before = bed.statistics()
    playing = stack.enter_context(Player(bed, frames)).start(25, 1000.0)
    assert finished(playing) == 25
    assert (bed.statistics() - before).dropped == 0
    seen, size, retired = receiver.seen()
    assert (seen, size) == (25, 25 * 700)
    times = [3] * 5 + [2] * 5
    assert counts(retired) == {k.tobytes(): n for k, n in zip(keys, times, strict=True)}


def test_stopped_player_knows_what_it_sent(
    bed: testbed.Testbed, stack: ExitStack, receiver: Receiver
) -> None:
    frames = frames_for(keys_of(np.arange(10), SRC, 1))
    before = bed.statistics()
    playing = stack.enter_context(Player(bed, frames)).start(1_000_000, 1000.0)
    while (bed.statistics() - before).receiver.xdp_packets < 10:
        assert playing.running()
    playing.stop()
    assert not playing.running()
    assert receiver.seen()[0] == playing.offered() - (bed.statistics() - before).dropped


def test_player_that_cannot_send_a_frame_says_so(bed: testbed.Testbed, stack: ExitStack) -> None:
    too_long = Frames.from_bytes([bytes(12) + b"\x08\x00" + bytes(2000)])
    playing = stack.enter_context(Player(bed, too_long)).start(1, 1000.0)
    with pytest.raises(LabError, match=r"tcpreplay .*Message too long"):
        finished(playing)
