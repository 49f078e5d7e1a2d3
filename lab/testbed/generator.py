"""The load generator: live frames by BPF_PROG_TEST_RUN, their sources from a list, by the million.

The list is sent in its order, over and over; `position` says how far it came.
"""

from __future__ import annotations

import errno
import threading
import time
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from lab import build, loader
from lab.errors import EnvironmentProblem, LabError
from lab.libbpf.program import LIVE_FRAMES, xdp_context
from lab.testbed.bed import Testbed
from lab.testbed.traffic import pinned

BURST_S = 0.1  # a call into the kernel has a fixed price of up to 30 ms: an RCU grace period
_LOOPBACK = 1  # its ifindex, in every namespace; the frames must have come from somewhere
_ETHERNET, _HEADER = 14, 20
_CHECKSUM, _SOURCE = slice(10, 12), slice(12, 16)


class Generator:
    """The program, loaded for one testbed; a context manager."""

    def __init__(self, bed: Testbed, frame: bytes, sources: NDArray[np.uint32]) -> None:
        """Load it to send `frame`, Ethernet and IPv4, from `sources` (n,) in network order."""
        self._bed, self._frame = bed, frame
        self._stack = ExitStack()
        loaded = loader.load(
            build.object_path("generator"),
            knobs={
                "config": {
                    "ifindex": bed.sender.ifindex,
                    "sources": len(sources),
                    "sum": header_sum(frame),
                }
            },
            map_sizes={"generator_sources": len(sources)},
        )
        self._stack.enter_context(loaded)
        try:
            self._program = loaded.require()
            table = loaded.maps["generator_sources"].memory()
            table.view(np.uint32)[:, 0] = sources
            self._position = loaded.maps["generator_position"].memory().view(np.uint64)[0]
            self._probe()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Generator:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Unload it."""
        self.close()

    def close(self) -> None:
        """Unload it; a second call does nothing."""
        self._stack.close()

    @property
    def position(self) -> int:
        """Return how many frames were sent."""
        return int(self._position[0])

    def send(self, packets: int) -> None:
        """Send at once; this thread must be in the sender's namespace. A signal may cut it short.

        The kernel's batches of 64 frames fit the veth's ring of 256, so none of them is dropped.
        """
        self._run(self._frame, packets)

    def start(self, packets: int, rate: float) -> Generating:
        """Send `packets` at `rate` packets/s, in bursts, from a thread of its own."""
        return Generating(self, self._bed, packets, rate)

    def _run(self, frame: bytes, repeat: int) -> None:
        context = xdp_context(len(frame), _LOOPBACK)
        try:
            self._program.test_run(frame, repeat, context, LIVE_FRAMES)
        except InterruptedError:
            return

    # A frame that is too short for the program, so that none is sent.
    def _probe(self) -> None:
        try:
            self._run(self._frame[:_ETHERNET], 1)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise EnvironmentProblem(
                "the kernel sends no live frames from BPF_PROG_TEST_RUN",
                try_="Linux 5.18 or later",
            ) from error


class Generating:
    """Packets being sent by a generator."""

    def __init__(self, generator: Generator, bed: Testbed, packets: int, rate: float) -> None:
        """Begin."""
        self._generator, self._bed = generator, bed
        self._first, self._packets, self._rate = generator.position, packets, rate
        self._stop = threading.Event()
        self._seconds = 0.0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="generator", daemon=True)
        self._thread.start()

    def running(self) -> bool:
        """Say whether more packets will come; raises LabError where sending failed."""
        if self._thread.is_alive():
            return True
        if self._error:
            raise LabError(f"the generator failed: {self._error}") from self._error
        return False

    def stop(self) -> None:
        """End it after the burst that is under way."""
        self._stop.set()
        self._thread.join()

    def offered(self) -> int:
        """Return how many packets were sent so far."""
        return self._generator.position - self._first

    def seconds(self) -> float:
        """Return how long it took; known when it has ended."""
        return self._seconds

    def _run(self) -> None:
        try:
            with self._bed.run_in(self._bed.sender), pinned():
                self._send_all()
        except BaseException as error:  # handed to who asks `running`
            self._error = error

    # Where the machine cannot keep up, later bursts follow without a pause; they never grow.
    def _send_all(self) -> None:
        begin = time.monotonic()
        burst = max(1, round(self._rate * BURST_S))
        while not self._stop.is_set() and self.offered() < self._packets:
            self._generator.send(min(burst, self._packets - self.offered()))
            due = begin + self.offered() / self._rate
            self._seconds = time.monotonic() - begin
            self._stop.wait(max(0.0, due - time.monotonic()))


def header_sum(frame: bytes) -> int:
    """Return the sum of a frame's IPv4 header in 16-bit words, without source and checksum."""
    header = bytearray(frame[_ETHERNET : _ETHERNET + _HEADER])
    if len(header) < _HEADER or header[0] != 0x45:
        raise ValueError("the generator needs an Ethernet frame of IPv4 without options")
    header[_CHECKSUM] = bytes(2)
    header[_SOURCE] = bytes(4)
    return int(np.frombuffer(bytes(header), np.uint16).sum())
