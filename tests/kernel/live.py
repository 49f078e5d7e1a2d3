"""`lab run` as a process on a cable of two ends, and what it says."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.attach import interface_index
from lab.libbpf.link import query_xdp
from tests.kernel import namespaces

LAB = (sys.executable, "-m", "lab.cli")
ATTACHED = "is attached"


@dataclass
class Live:
    """A `lab run` under way; its messages are collected as they come."""

    process: subprocess.Popen[str]
    interface: str
    messages: list[str] = field(default_factory=list)
    _records: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = threading.Thread(target=self._collect, daemon=True)

    @property
    def _listener_ended(self) -> bool:
        return self._listener.ident is not None and not self._listener.is_alive()

    def listen(self) -> None:
        """Collect messages, from a thread of its own."""
        self._listener.start()

    def wait_for(self, words: str) -> None:
        """Wait for a message."""
        namespaces.wait_until(
            lambda: words in self.said or self._listener_ended, f"lab run says {words!r}"
        )
        assert words in self.said, f"lab run did not say {words!r}, but {self.said}"

    @property
    def said(self) -> str:
        """Return all messages so far."""
        return "".join(self.messages)

    def record(self) -> dict[str, Any]:
        """Return the next record of its JSON lines."""
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], namespaces.DEADLINE_S)
        assert ready, f"no record came: {self.said}"
        line = self.process.stdout.readline()
        assert line, f"lab run ended: {self.said}"
        self._records.append(json.loads(line))
        return self._records[-1]

    def epoch_with(self, packets: int) -> dict[str, Any]:
        """Return the first epoch from here on that has so many packets, or more."""
        while True:
            record = self.record()
            if record["record"] == "epoch" and record["packets"] >= packets:
                return record

    def end(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
        """Send it a signal; returns the exit code and all records."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Wait for its end; returns the exit code and all records."""
        assert self.process.stdout
        rest = [json.loads(line) for line in self.process.stdout]
        code = self.process.wait(namespaces.DEADLINE_S)
        return code, [*self._records, *rest]

    def _collect(self) -> None:
        assert self.process.stderr
        with contextlib.suppress(ValueError):  # closed at the end of the test
            for line in self.process.stderr:
                self.messages.append(line)


class Runs:
    """Starts runs, and kills what is left of them."""

    def __init__(self, stack: ExitStack) -> None:
        """Kill them with `stack`."""
        self._stack = stack

    def __call__(
        self,
        interface: str,
        *arguments: str,
        ready: bool = True,
        prefix: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        **options: Any,
    ) -> Live:
        """Start `lab run INTERFACE ARGUMENTS...`; wait until it is attached, if `ready`."""
        process = self._stack.enter_context(
            subprocess.Popen(
                [*prefix, *LAB, "run", interface, *arguments],
                stdout=options.pop("stdout", subprocess.PIPE),
                stderr=subprocess.PIPE,
                text=True,
                cwd=namespaces.ROOT,
                env={**os.environ, "PYTHONPATH": str(namespaces.ROOT), **(environment or {})},
                **options,
            )
        )
        self._stack.callback(process.kill)
        live = Live(process, interface)
        live.listen()
        if ready:
            live.wait_for(ATTACHED)
        return live


@contextlib.contextmanager
def runs() -> Iterator[Runs]:
    """Yield what starts runs."""
    with ExitStack() as stack:
        yield Runs(stack)


@contextlib.contextmanager
def cable() -> Iterator[str]:
    """Enter a namespace with two ends of a cable, `left` and `right`, both up."""
    with namespaces.entered():
        namespaces.ip("link add left type veth peer name right")
        for end in ("left", "right"):
            namespaces.ip(f"link set {end} up")
        yield "left"


def attached(interface: str) -> list[int]:
    """Return the ids of the programs on an interface."""
    return [found.program_id for found in query_xdp(interface_index(interface))]


def send(interface: str, frames: int = 1, source: int = 1, size: int = 60) -> None:
    """Send UDP frames from 10.0.0.`source` to whoever is at the other end."""
    frame = udp_frame(bytes([10, 0, 0, source]), size)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        for _ in range(frames):
            wire.send(frame)


def udp_frame(source: bytes, size: int = 60) -> bytes:
    """Return an Ethernet frame of `size` bytes: UDP from `source`, 1, to 10.0.0.254, 2."""
    ip = bytes([0x45, 0, *(size - 14).to_bytes(2, "big"), 0, 0, 0, 0, 64, 17, 0, 0])
    udp = bytes([0, 1, 0, 2, *(size - 34).to_bytes(2, "big"), 0, 0])
    head = bytes(12) + b"\x08\x00" + ip + source + bytes([10, 0, 0, 254]) + udp
    return head.ljust(size, b"\0")


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the last record, which must be the summary, and must balance."""
    assert records[0]["record"] == "metadata"
    assert records[-1]["record"] == "summary"
    assert records[-1]["ledger_difference"] == 0
    assert records[-1]["epochs"]["lost"] == 0
    epochs = [record for record in records if record["record"] == "epoch"]
    assert sum(epoch["packets"] for epoch in epochs) == records[-1]["packets"]
    return records[-1]


def tasks(pid: int) -> list[dict[str, str]]:
    """Return the status of every thread of a process."""
    folder = Path(f"/proc/{pid}/task")
    texts = [(task / "status").read_text() for task in folder.iterdir()]
    return [
        dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line) for text in texts
    ]
