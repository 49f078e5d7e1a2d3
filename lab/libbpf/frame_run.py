"""Run a program on single frames, with as little around BPF_PROG_TEST_RUN as cffi allows.

test_run.py does the same for very many frames, but needs numba, which a small guest lacks.
"""

from __future__ import annotations

from lab.libbpf._ffi import binding
from lab.libbpf.program import Program


class FrameRun:
    """A program that is run again and again; what it does to the frame is not read back."""

    def __init__(self, program: Program) -> None:
        """Prepare the call."""
        b = binding()
        self._b, self._program = b, program
        self._options = b.ffi.new("struct test_run_opts *")
        self._options.sz = b.ffi.sizeof("struct test_run_opts")
        self._options.repeat = 1

    def __call__(self, frame: bytes) -> int:
        """Run one frame, 14 bytes or more; returns the verdict, or raises OSError."""
        options = self._options
        data = self._b.ffi.from_buffer(frame)
        options.data_in, options.data_size_in = data, len(frame)
        options.data_size_out = (
            0  # the kernel stores a size here, and takes it as a limit next time
        )
        result = self._b.lib.bpf_prog_test_run_opts(self._program.fd, options)
        self._b.check(result, f"test run of {self._program.name} on {len(frame)} bytes")
        return int(options.retval)
