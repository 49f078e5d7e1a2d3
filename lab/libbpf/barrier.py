"""Wait until no BPF program that is running now can still be running."""

from __future__ import annotations

import struct
import time
from contextlib import ExitStack
from types import TracebackType

from lab.libbpf import maps
from lab.libbpf._ffi import binding

_ARRAY, _ARRAY_OF_MAPS = 2, 12  # enum bpf_map_type
_SLOT = struct.pack("=I", 0)


class Barrier:
    """An RCU grace period on demand; a context manager.

    The kernel returns from an update of a map of maps only after a grace period, because programs
    may still use the map that was replaced (kernel/bpf/syscall.c, maybe_wait_bpf_programs; Linux
    5.0). membarrier(2) would be no substitute: on one CPU it does nothing.
    """

    def __init__(self) -> None:
        """Make the two small maps."""
        with ExitStack() as stack:
            inner = maps.create(_ARRAY, "barrier_inner", key_size=4, value_size=4, max_entries=1)
            self._inner = stack.enter_context(inner)
            self._outer = stack.enter_context(_outer(inner))
            self._maps = stack.pop_all()
        self.latest_ns = 0  # how long the latest wait took

    def __enter__(self) -> Barrier:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the maps."""
        self._maps.close()

    def wait(self) -> None:
        """Return after a grace period (measured: 5 to 30 ms)."""
        begin = time.monotonic_ns()
        self._outer.update(_SLOT, struct.pack("=i", self._inner.fd))
        self.latest_ns = time.monotonic_ns() - begin


def _outer(inner: maps.Map) -> maps.Map:
    b = binding()
    options = b.ffi.new("struct map_create_opts *")
    options.sz, options.inner_map_fd = b.ffi.sizeof("struct map_create_opts"), inner.fd
    fd = b.lib.bpf_map_create(_ARRAY_OF_MAPS, b"barrier", 4, 4, 1, options)
    b.check(fd, "creation of map barrier")
    return maps.Map("barrier", fd, "array_of_maps", 4, 4, 1)
