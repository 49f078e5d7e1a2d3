"""Attach an XDP program to an interface by name: natively, generically, or as well as it can."""

from __future__ import annotations

import socket
from collections.abc import Callable
from enum import StrEnum

from lab.errors import Busy, InterfaceMissing
from lab.libbpf.link import Link, Mode, NativeUnsupported, attach_xdp, query_xdp
from lab.libbpf.program import Program
from lab.output import message


class How(StrEnum):
    """The mode that a person asks for."""

    AUTO = "auto"  # native, and generic where the driver cannot
    NATIVE = "native"
    GENERIC = "generic"


def interface_index(name: str) -> int:
    """Return the number of an interface of this network namespace; raises InterfaceMissing."""
    try:
        return socket.if_nametoindex(name)
    except OSError as error:
        known = ", ".join(known for _, known in socket.if_nameindex()) or "none"
        raise InterfaceMissing(
            f"there is no interface {name!r} in this network namespace",
            try_=f"one of: {known}",
        ) from error


def attach(
    program: Program, name: str, how: How = How.AUTO, tell: Callable[[str], None] = message
) -> Link:
    """Attach to the interface `name`; `auto` tells when it goes generic.

    Another program is never replaced, nor joined by one in the other mode: that is Busy.
    """
    index = interface_index(name)
    mode = Mode.GENERIC if how is How.GENERIC else Mode.NATIVE
    try:
        return _attach_in(mode, program, name, index)
    except NativeUnsupported as unsupported:
        if how is not How.AUTO:
            raise
        link = _attach_in(Mode.GENERIC, program, name, index)
        tell(f"{unsupported}: attached in generic mode, which is slower")
        return link


# The errors of lab.libbpf know the interface by number; a person knows it by name.
def _attach_in(mode: Mode, program: Program, name: str, index: int) -> Link:
    try:
        return attach_xdp(program, index, mode)
    except Busy as error:
        raise _busy(name, index) from error
    except InterfaceMissing as error:
        interface_index(name)
        raise InterfaceMissing(f"interface {name} is gone", try_="ip link") from error
    except NativeUnsupported as error:
        raise NativeUnsupported(f"{name}: {error}", try_=error.try_) from error


def _busy(name: str, index: int) -> Busy:
    others = query_xdp(index)
    who = " and ".join(f"program id {other.program_id} ({other.mode})" for other in others)
    show = f"`bpftool prog show id {others[0].program_id}`" if others else "`bpftool net`"
    return Busy(
        f"{name} already runs another XDP program: {who or 'which is gone again'}",
        try_=f"{show} tells what it is; detach it, or choose another interface",
    )
