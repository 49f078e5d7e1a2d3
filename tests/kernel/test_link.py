from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import pytest

from lab import build, loader
from lab.errors import Busy, InterfaceMissing
from lab.libbpf.link import Attached, Mode, NativeUnsupported, attach_xdp, query_xdp
from lab.libbpf.program import LIVE_FRAMES, Program, xdp_context
from tests.kernel.conftest import needs_clang, needs_kernel, needs_root

EXPERIMENTAL = 0x88B5  # an EtherType for local experiments (IEEE 802)

pytestmark = [needs_root, needs_clang]


@pytest.fixture
def veth() -> Iterator[int]:
    """Enter a namespace of the test's own that holds a veth pair; gives one end's index."""
    from pyroute2 import IPRoute, netns

    name = f"link-test-{os.getpid()}"
    netns.create(name)
    netns.pushns(name)
    try:
        with IPRoute() as route:
            route.link("add", ifname="left", kind="veth", peer={"ifname": "right"})
            yield route.link_lookup(ifname="left")[0]
    finally:
        netns.popns()
        netns.remove(name)


@pytest.fixture
def hello() -> Iterator[Program]:
    with loader.load(build.object_path("hello")) as loaded:
        yield loaded.require()


def change(ifindex: int, command: str, **values: object) -> None:
    from pyroute2 import IPRoute

    with IPRoute() as route:
        route.link(command, index=ifindex, **values)


@pytest.mark.parametrize("mode", list(Mode))
def test_attach_is_in_the_mode_asked_for(veth: int, hello: Program, mode: Mode) -> None:
    with attach_xdp(hello, veth, mode) as link:
        assert query_xdp(veth) == (Attached(hello.info().id, str(mode)),)
        assert link.program_id() == hello.info().id
    assert query_xdp(veth) == ()


def test_destroy_may_be_repeated(veth: int, hello: Program) -> None:
    link = attach_xdp(hello, veth, Mode.NATIVE)
    link.destroy()
    link.destroy()
    assert not link.alive()


def test_link_outlives_the_loaded_object(veth: int) -> None:
    with loader.load(build.object_path("hello")) as loaded:
        link = attach_xdp(loaded.program, veth, Mode.NATIVE)
    assert len(query_xdp(veth)) == 1
    link.destroy()


@pytest.mark.parametrize("second", list(Mode))
def test_occupied_hook_names_the_other_program(veth: int, hello: Program, second: Mode) -> None:
    with attach_xdp(hello, veth, Mode.NATIVE):
        message = f"already runs another XDP program: program id {hello.info().id} .native."
        with pytest.raises(Busy, match=message):
            attach_xdp(hello, veth, second)


def test_missing_interface_is_named(veth: int, hello: Program) -> None:
    with pytest.raises(InterfaceMissing, match="there is no interface 99999"):
        attach_xdp(hello, 99999, Mode.NATIVE)


def test_query_of_a_missing_interface_is_named(veth: int) -> None:
    with pytest.raises(InterfaceMissing, match="there is no interface 99999"):
        query_xdp(99999)


def test_removed_interface_is_noticed(veth: int, hello: Program) -> None:
    with attach_xdp(hello, veth, Mode.NATIVE) as link:
        assert link.alive()
        change(veth, "del")
        assert not link.alive()


@needs_kernel(feature="xdp_frags", min="5.18")
def test_jumbo_mtu_needs_frags(veth: int) -> None:
    change(veth - 1, "set", mtu=9000)  # the peer's frames are what must fit
    with (
        loader.load(build.object_path("hello"), frags=False) as plain,
        pytest.raises(NativeUnsupported, match="MTU too large for a program without frags"),
    ):
        attach_xdp(plain.program, veth, Mode.NATIVE)
    with loader.load(build.object_path("hello")) as frags:
        attach_xdp(frags.program, veth, Mode.NATIVE).destroy()


def test_loopback_has_no_native_mode(hello: Program) -> None:
    with pytest.raises(NativeUnsupported, match="Operation not supported") as got:
        attach_xdp(hello, 1, Mode.NATIVE)
    assert "generic" in str(got.value.try_)


@needs_kernel(feature="xdp_frags", min="5.18")
def test_live_frames_come_in_by_the_interface(veth: int, hello: Program) -> None:
    change(veth, "set", state="up")
    change(veth - 1, "set", state="up")
    frame = b"\xff" * 12 + struct.pack("!H", EXPERIMENTAL) + bytes(50)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EXPERIMENTAL)) as listener:
        listener.bind(("left", EXPERIMENTAL))
        listener.settimeout(10)
        context = xdp_context(len(frame), veth)
        outcome = hello.test_run(frame, repeat=20, ctx=context, flags=LIVE_FRAMES)
        assert outcome.data_out == b""
        assert [listener.recv(2048) for _ in range(20)] == [frame] * 20
