"""The compiled loop of test_run.py; a module of its own because numba loads slowly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.jit import njit  # first: it tells numba where to cache

# isort: split
from numba import types

_TEST_RUN = 10  # enum bpf_cmd
ATTR_WORDS = 20  # u32 words of union bpf_attr up to test.batch_size
FD, RETVAL, SIZE_IN, SIZE_OUT, DATA_IN, REPEAT = 0, 1, 2, 3, 4, 8  # words; DATA_IN is 64 bits wide
ERRNO = ATTR_WORDS  # not the kernel's: the word behind, where the loop leaves errno

# Found by name among the process's own symbols, so that the compiled loop can be cached. Both of
# syscall()'s calling conventions, variadic or not, pass these arguments in the same registers.
# Addresses are integers here: Numba's pointers need what jit.py switches off.
_word = types.int64
_syscall: Any = types.ExternalFunction("syscall", _word(_word, _word, _word, _word))
_errno_location: Any = types.ExternalFunction("__errno_location", _word())
_memcpy: Any = types.ExternalFunction("memcpy", _word(_word, _word, _word))


@njit
def run(
    number: int,
    attr: NDArray[np.uint32],
    attr_address: int,
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    captured: NDArray[np.uint32],
    lengths: NDArray[np.uint32],
    frame: NDArray[np.uint8],
    clocks: NDArray[np.uint64],
    clock_cell: NDArray[np.uint64],
    instances: NDArray[np.uint64],
    instance_cell: NDArray[np.uint64],
    retvals: NDArray[np.uint32],
) -> int:
    """Return how many frames ran; what stopped the next is in `attr[ERRNO]` (0: nothing)."""
    for i in range(len(offsets)):
        have, length = captured[i], lengths[i]
        start = offsets[i]
        for j in range(have):
            frame[j] = data[start + j]
        for j in range(have, length):
            frame[j] = 0
        attr[SIZE_IN] = length
        attr[SIZE_OUT] = 0  # the kernel stores a size here, and takes it as a limit next time
        if len(clocks):
            clock_cell[0] = clocks[i]
        if len(instances):
            instance_cell[0] = instances[i]
        if _syscall(number, _TEST_RUN, attr_address, ATTR_WORDS * 4) < 0:
            _memcpy(attr_address + ERRNO * 4, _errno_location(), 4)
            return i
        retvals[i] = attr[RETVAL]
    return len(offsets)
