"""Time a program by BPF_PROG_TEST_RUN on one frame that is its request and its answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lab.errors import LabError
from lab.libbpf._ffi import binding
from lab.libbpf.program import Program

_XDP_PASS = 2


class TimedRun:
    """A program that is run again and again on the same few words, each thread with its own."""

    def __init__(self, program: Program, words: NDArray[np.uint64]) -> None:
        """Prepare the call; `words` (n,) is the whole frame, and what the program leaves in it."""
        b = binding()
        self._b, self._program, self._words = b, program, words
        self._frame = b.ffi.from_buffer(words)
        self._options = b.ffi.new("struct test_run_opts *")
        self._options.sz = b.ffi.sizeof("struct test_run_opts")

    def __call__(self, repeat: int = 1) -> int:
        """Run `repeat` times; returns ns per time, rounded down, as the kernel measured them.

        Raises OSError as the kernel does, LabError where the program did not return XDP_PASS.
        """
        options = self._options
        options.data_in = options.data_out = self._frame
        # The kernel stores the size here, and takes it as a limit next time.
        options.data_size_in = options.data_size_out = self._words.nbytes
        options.repeat = repeat
        result = self._b.lib.bpf_prog_test_run_opts(self._program.fd, options)
        self._b.check(result, f"test run of {self._program.name}")
        if options.retval != _XDP_PASS:
            raise LabError(f"{self._program.name} returned {options.retval}, not XDP_PASS")
        return int(options.duration)
