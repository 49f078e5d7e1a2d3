"""Captures on the wire: tcpreplay, in the sender's namespace."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile

import numpy as np
from numpy.typing import NDArray

from lab.errors import EnvironmentProblem, LabError
from lab.testbed.bed import Testbed
from lab.testbed.traffic import pinned
from simulator.frames import Frames
from simulator.pcap import write_pcap

ETHERNET_BYTES = 14
ENDS_WITHIN_S = 5.0
# Interrupted, tcpreplay counts one "successful packet" less than it sent.
_SENT = re.compile(r"^Actual: (\d+) packets \(\d+ bytes\) sent in ([\d.]+) seconds", re.MULTILINE)
_FAILED = re.compile(r"Failed packets:\s+(\d+)")


def sendable(frames: Frames, mtu: int) -> NDArray[np.bool_]:
    """Say of each frame, at its original length, whether an interface of this MTU takes it."""
    return (frames.lengths >= ETHERNET_BYTES) & (frames.lengths <= mtu + ETHERNET_BYTES)


class Player:
    """Frames in a file that tcpreplay reads; a context manager."""

    def __init__(self, bed: Testbed, frames: Frames) -> None:
        """Write the frames, each zero-padded to its original length; all must be `sendable`."""
        self._bed, self._command = bed, find_tcpreplay()
        self.frames = len(frames)
        # Without a name, so that not even SIGKILL leaves it behind.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the player
        write_pcap(self._file, Frames.from_bytes([frames.frame(i) for i in range(len(frames))]))
        self._file.flush()

    def __enter__(self) -> Player:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Remove the file."""
        self.close()

    def close(self) -> None:
        """Remove the file; a second call does nothing."""
        self._file.close()

    def start(self, packets: int, rate: float) -> Playing:
        """Send `packets` at `rate` packets/s, the file over and over."""
        return Playing(self._bed, self._arguments(packets, rate), self._file.fileno())

    def _arguments(self, packets: int, rate: float) -> list[str]:
        return [
            self._command,
            f"--intf1={self._bed.sender.interface}",
            f"--pps={rate:.3f}",
            f"--limit={packets}",
            f"--loop={-(-packets // self.frames)}",
            "--timer=nano",  # the default timer would spin on a processor
            "--preload-pcap",
            "--no-flow-stats",
            f"/proc/self/fd/{self._file.fileno()}",
        ]


class Playing:
    """A tcpreplay at work."""

    def __init__(self, bed: Testbed, arguments: list[str], file: int) -> None:
        """Begin, in a session of its own: the terminal's Ctrl-C is for us."""
        with bed.run_in(bed.sender), pinned():
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=(file,),
            )
        self._output: str | None = None
        self._stopped = False

    def running(self) -> bool:
        """Say whether more packets will come; raises LabError where tcpreplay failed."""
        if self._process.poll() is None:
            return True
        self._finish()
        return False

    def stop(self) -> None:
        """End it; tcpreplay tells what it has sent."""
        self._stopped = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._finish()

    def offered(self) -> int:
        """Return how many packets were sent; raises LabError where tcpreplay does not say so."""
        return int(self._told()[1])

    def seconds(self) -> float:
        """Return how long it took."""
        return float(self._told()[2])

    def _told(self) -> re.Match[str]:
        output = self._finish()
        match = _SENT.search(output)
        if match is None:
            raise LabError(f"tcpreplay did not say what it sent: {_last_lines(output)}")
        return match

    def _finish(self) -> str:
        if self._output is None:
            self._output = self._wait()
            failed = _FAILED.search(self._output)
            if failed and int(failed[1]):
                raise LabError(f"tcpreplay could not send {failed[1]} packets")
            if self._process.returncode and not self._stopped:
                raise LabError(f"tcpreplay failed: {_last_lines(self._output)}")
        return self._output

    def _wait(self) -> str:
        try:
            return self._process.communicate(timeout=ENDS_WITHIN_S)[0]
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.communicate()[0]


def find_tcpreplay() -> str:
    """Return the path of tcpreplay; raises EnvironmentProblem."""
    found = shutil.which("tcpreplay")
    if found is None:
        raise EnvironmentProblem(
            "tcpreplay is not installed, and it sends the calm traffic",
            try_="sudo apt-get install tcpreplay, or `make setup`",
        )
    return found


def _last_lines(output: str) -> str:
    return "; ".join(output.strip().splitlines()[-3:]) or "no output"
