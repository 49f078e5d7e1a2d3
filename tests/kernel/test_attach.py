from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import build, loader
from lab.attach import How, attach, interface_index
from lab.errors import Busy, InterfaceMissing
from lab.libbpf.link import Mode, NativeUnsupported, query_xdp
from lab.libbpf.program import Program
from tests.kernel import namespaces
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]


@pytest.fixture
def veth() -> Iterator[str]:
    with namespaces.entered():
        namespaces.ip("link add left type veth peer name right")
        yield "left"


@pytest.fixture
def hello() -> Iterator[Program]:
    with loader.load(build.object_path("hello")) as loaded:
        yield loaded.require()


@pytest.mark.parametrize(
    ("how", "mode"),
    [(How.AUTO, "native"), (How.NATIVE, "native"), (How.GENERIC, "generic")],
)
def test_attach_uses_the_mode_asked_for(veth: str, hello: Program, how: How, mode: str) -> None:
    with attach(hello, veth, how) as link:
        assert link.mode == mode
        assert [found.mode for found in query_xdp(link.ifindex)] == [mode]


def test_link_that_ends_leaves_nothing_attached(veth: str, hello: Program) -> None:
    attach(hello, veth).destroy()
    assert query_xdp(interface_index(veth)) == ()


def test_auto_goes_generic_where_the_driver_cannot_and_says_so(veth: str, hello: Program) -> None:
    told: list[str] = []
    with attach(hello, "lo", How.AUTO, told.append) as link:
        assert link.mode is Mode.GENERIC
    (text,) = told
    assert text.startswith("lo: ")
    assert text.endswith(": attached in generic mode, which is slower")


def test_native_does_not_go_generic(veth: str, hello: Program) -> None:
    with pytest.raises(NativeUnsupported, match=r"^lo: ") as raised:
        attach(hello, "lo", How.NATIVE)
    assert "generic" in (raised.value.try_ or "")
    assert query_xdp(interface_index("lo")) == ()


@pytest.mark.parametrize("first", list(Mode))
@pytest.mark.parametrize("how", list(How))
def test_occupied_hook_is_busy_in_every_mode(
    veth: str, hello: Program, first: Mode, how: How
) -> None:
    with (
        loader.load(build.object_path("hello")) as other,
        attach(other.program, veth, How(first)) as link,
    ):
        number = link.program_id()
        with pytest.raises(Busy) as raised:
            attach(hello, veth, how)
        assert str(raised.value) == (
            f"left already runs another XDP program: program id {number} ({first})"
        )
        assert f"`bpftool prog show id {number}`" in (raised.value.try_ or "")
        assert [found.program_id for found in query_xdp(link.ifindex)] == [number]


def test_program_attached_by_others_is_busy(veth: str, hello: Program) -> None:
    namespaces.ip(f"link set left xdp obj {build.object_path('hello')} sec xdp.frags")
    with pytest.raises(Busy, match="left already runs another XDP program: program id"):
        attach(hello, veth)


def test_unknown_interface_names_those_that_are_there(veth: str, hello: Program) -> None:
    with pytest.raises(InterfaceMissing) as raised:
        attach(hello, "eth7")
    assert str(raised.value) == "there is no interface 'eth7' in this network namespace"
    known = (raised.value.try_ or "").removeprefix("one of: ").split(", ")
    assert sorted(known) == ["left", "lo", "right"]


def test_interface_that_vanishes_before_the_attach_is_missing(
    veth: str, hello: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.attach.interface_index", lambda name: 4711)
    with pytest.raises(InterfaceMissing, match="interface left is gone"):
        attach(hello, veth)


def test_attach_without_cap_net_admin_is_a_permission_problem() -> None:
    from lab.errors import PermissionProblem
    from lab.libbpf.link import _attach_error

    error = _attach_error(1, Program("hello", -1, "xdp"), 1, Mode.NATIVE)
    assert isinstance(error, PermissionProblem)
