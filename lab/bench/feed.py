"""Feed stored keys to a program of bpf/bench.bpf.c; Python's side of bpf/include/bench.h."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lab.errors import LabError
from lab.libbpf.program import Program
from lab.libbpf.timed_run import TimedRun

# Keys per run: 0.2 to 10 ms, after which the scheduler may take the CPU without being measured.
CHUNK = 1 << 14
PACKET_BYTES = 100
_FIRST, _COUNT, _BYTES, _DONE, _DIGEST = range(5)  # words of struct bench_request


class Fed(NamedTuple):
    """What one or more runs brought."""

    packets: int
    ns: int
    digest: int  # sum of what the update returned, modulo 2^64


def feed(program: Program, first: int, stop: int, burst: int | None = None) -> Fed:
    """Feed keys [first, stop) on this CPU.

    A program with a `burst` goes on where it stopped, that many keys each time it is run; any other
    takes a whole chunk at once.
    """
    request = np.zeros(5, np.uint64)
    run = TimedRun(program, request)
    ns = digest = 0
    for begin in range(first, stop, CHUNK):
        count = min(CHUNK, stop - begin)
        request[:] = (begin, count, PACKET_BYTES, 0, 0)
        repeat = -(-count // burst) if burst else 1
        ns += run(repeat) * repeat
        digest += int(request[_DIGEST])
        if request[_DONE] != count:
            raise LabError(f"{program.name} took {request[_DONE]} of {count} keys from {begin}")
    return Fed(stop - first, ns, digest % (1 << 64))
