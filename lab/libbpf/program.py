"""A loaded program: run it on a frame, ask the kernel about it."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import NamedTuple

from lab.libbpf._ffi import binding, close
from lab.libbpf.info import ProgramInfo, program_info

ON_CPU = 1 << 0  # BPF_F_TEST_RUN_ON_CPU
LIVE_FRAMES = 1 << 1  # BPF_F_TEST_XDP_LIVE_FRAMES
MIN_FRAME = 14  # bytes; the kernel refuses less
_ROOM = 64 * 1024 + 512  # a whole frame, and what a program may have put before it


class Outcome(NamedTuple):
    """What one BPF_PROG_TEST_RUN brought."""

    retval: int
    data_out: bytes
    duration_ns: int  # per repetition


@dataclass
class Program:
    """An open program; a context manager whose `close` may be called twice."""

    name: str
    fd: int
    type: str  # as libbpf names it: xdp, kprobe, ...
    owned: bool = True  # False: the object closes the descriptor

    def __enter__(self) -> Program:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give up the descriptor; a link keeps the program alive."""
        fd, self.fd = self.fd, -1
        if fd >= 0 and self.owned:
            close(fd)

    def info(self) -> ProgramInfo:
        """Return id, tag, sizes and verified instructions."""
        return program_info(self.fd)

    def test_run(
        self,
        data: bytes,
        repeat: int = 1,
        ctx: bytes | None = None,
        flags: int = 0,
        *,
        cpu: int = 0,
        batch_size: int = 0,
    ) -> Outcome:
        """Run the program on one frame, without an interface; raises OSError as the kernel does.

        With LIVE_FRAMES the frames really leave through the interface that `ctx` names.
        """
        b = binding()
        live = bool(flags & LIVE_FRAMES)
        source = b.ffi.from_buffer(data)
        room = b.ffi.NULL if live else b.ffi.new("char[]", max(_ROOM, len(data) + 512))
        options = b.ffi.new("struct test_run_opts *")
        options.sz = b.ffi.sizeof("struct test_run_opts")
        options.data_in, options.data_size_in = source, len(data)
        options.data_out = room
        options.data_size_out = 0 if live else b.ffi.sizeof(room)
        options.repeat, options.flags, options.cpu = repeat, flags, cpu
        options.batch_size = batch_size
        context = b.ffi.from_buffer(ctx) if ctx else b.ffi.NULL
        options.ctx_in, options.ctx_size_in = context, len(ctx or b"")
        result = b.lib.bpf_prog_test_run_opts(self.fd, options)
        if result == -errno.EINVAL and len(data) < MIN_FRAME:
            raise OSError(errno.EINVAL, f"test run refuses a frame of {len(data)} bytes (below 14)")
        b.check(result, f"test run of {self.name}")
        out = b"" if live else bytes(b.ffi.buffer(room, options.data_size_out))
        return Outcome(int(options.retval), out, int(options.duration))


def xdp_context(length: int, ifindex: int, queue: int = 0) -> bytes:
    """Return a struct xdp_md for a frame of `length` bytes that came in by an interface."""
    return struct.pack("=6I", 0, length, 0, ifindex, queue, 0)
