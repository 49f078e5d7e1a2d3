"""Attach an XDP program to an interface by a bpf_link, never in another program's place."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from enum import StrEnum

from lab.errors import Busy, EnvironmentProblem, InterfaceMissing, LabError, PermissionProblem
from lab.libbpf._ffi import binding, captured_messages, close
from lab.libbpf.info import link_info
from lab.libbpf.program import Program

_BPF_XDP = 37  # enum bpf_attach_type
_ATTACHED = {1: "native", 2: "generic", 3: "offload"}  # enum of IFLA_XDP_ATTACHED


class Mode(StrEnum):
    """Where a program runs: in the driver, or in the network stack."""

    NATIVE = "native"
    GENERIC = "generic"

    @property
    def flag(self) -> int:
        """Return XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE, so that the kernel does not choose."""
        return 1 << 2 if self is Mode.NATIVE else 1 << 1


class NativeUnsupported(EnvironmentProblem):
    """The interface's driver cannot run this program natively; generic mode may do."""


@dataclass
class Link:
    """An attachment; it ends with `destroy`, or with this process."""

    fd: int
    ifindex: int
    mode: Mode

    def __enter__(self) -> Link:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Detach."""
        self.destroy()

    def destroy(self) -> None:
        """Detach the program; a second call does nothing."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            close(fd)

    def alive(self) -> bool:
        """Say whether the interface is still there: its removal gives no error otherwise."""
        return self.interface() != 0

    def interface(self) -> int:
        """Return the number of the interface, 0 where it is gone; a move may change it."""
        return link_info(self.fd)[2] if self.fd >= 0 else 0

    def program_id(self) -> int:
        """Return the id of the attached program."""
        return link_info(self.fd)[1]


@dataclass(frozen=True)
class Attached:
    """The program that an interface runs."""

    program_id: int
    mode: str  # native, generic or offload


def attach_xdp(program: Program, ifindex: int, mode: Mode) -> Link:
    """Attach in exactly this mode; raises Busy, InterfaceMissing, NativeUnsupported, ..."""
    b = binding()
    options = b.ffi.new("struct link_create_opts *")
    options.sz, options.flags = b.ffi.sizeof("struct link_create_opts"), mode.flag
    fd = b.lib.bpf_link_create(program.fd, ifindex, _BPF_XDP, options)
    if fd < 0:
        raise _attach_error(-fd, program, ifindex, mode)
    return Link(fd, ifindex, mode)


def query_xdp(ifindex: int) -> tuple[Attached, ...]:
    """Return the XDP programs on an interface of the current network namespace."""
    if not _exists(ifindex):  # the query itself would say that nothing is attached
        raise _missing(ifindex)
    b = binding()
    found = b.ffi.new("struct xdp_query_opts *")
    found.sz = b.ffi.sizeof("struct xdp_query_opts")
    with captured_messages():
        result = b.lib.bpf_xdp_query(ifindex, 0, found)
    b.check(result, f"XDP query of interface {ifindex}")
    by_mode = {
        "native": found.drv_prog_id,
        "generic": found.skb_prog_id,
        "offload": found.hw_prog_id,
    }
    return tuple(Attached(int(number), mode) for mode, number in by_mode.items() if number)


def _attach_error(error: int, program: Program, ifindex: int, mode: Mode) -> LabError:
    what = f"attach of {program.name} to interface {ifindex} ({mode})"
    if error in (errno.EBUSY, errno.EEXIST):
        return _busy(ifindex)
    if error in (errno.ENODEV, errno.EINVAL) and not _exists(ifindex):
        return _missing(ifindex)
    if error in (errno.EPERM, errno.EACCES):
        return PermissionProblem(f"{what}: CAP_NET_ADMIN is missing", try_="run it with sudo")
    message = f"{what}: {binding().describe(error)}"
    if mode is Mode.NATIVE and error in (errno.EOPNOTSUPP, errno.ERANGE, errno.EINVAL):
        why = " (MTU too large for a program without frags)" if error == errno.ERANGE else ""
        return NativeUnsupported(message + why, try_="generic mode, or a smaller MTU")
    return EnvironmentProblem(message)


def _busy(ifindex: int) -> Busy:
    others = query_xdp(ifindex)
    who = ", ".join(f"program id {other.program_id} ({other.mode})" for other in others)
    return Busy(
        f"interface {ifindex} already runs another XDP program: {who or 'id unknown'}",
        try_="`bpftool net` shows who attached it; detach it there, or choose another interface",
    )


def _missing(ifindex: int) -> InterfaceMissing:
    return InterfaceMissing(
        f"there is no interface {ifindex} in this network namespace", try_="ip link"
    )


def _exists(ifindex: int) -> bool:
    try:
        socket.if_indextoname(ifindex)
    except OSError:
        return False
    return True
