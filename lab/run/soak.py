"""Minutes of `lab run` under changing load: memory stays flat, every packet is accounted for.

    python -m lab.run.soak [--seconds 600] [--format table|json|jsonl|csv]

`make soak` calls it. It ends with 8 where a check fails.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lab.errors import CheckFailed, LabError
from lab.output import Format, Report, message, progress, write
from lab.replay.recorded import compare, load
from lab.testbed import Generator, Statistics, Testbed
from simulator.layout import SRC
from simulator.traffic import frames_for, keys_of

SCHEMA = 1
SETTLE = 0.3  # of the run, before memory is looked at: caches and buffers grow once
DRIFT = 2 << 20  # bytes that a fitted line through the rest may rise by
SCRAPE_S = 5.0
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Load:
    """Packets from so many sources, at so many packets/s, for a while."""

    name: str
    sources: int
    rate: float
    seconds: float


LOADS = (
    Load("calm", 2_000, 20_000, 8),
    Load("flood", 100_000, 1_000_000, 8),
    Load("crowd", 5_000, 300_000, 8),
    Load("silence", 1, 1, 6),
)


@dataclass
class Soaked:
    """What was seen of the run."""

    records: list[dict[str, Any]] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)  # seconds, bytes resident
    offered: int = 0
    dropped: int = 0
    scrapes: int = 0
    code: int | None = None
    identical: bool | None = None

    @property
    def summary(self) -> dict[str, Any]:
        """Return the run's own summary."""
        return self.records[-1]

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """Return its finished epochs."""
        return [record for record in self.records if record["record"] == "epoch"]


def soak(seconds: float) -> Soaked:
    """Run it for so long; raises what keeps it from running."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bed = stack.enter_context(Testbed())
        senders = {load.name: _generator(stack, bed, load.sources) for load in LOADS}
        recording = folder / "soak.parquet"
        process = stack.enter_context(_start(bed, recording))
        stack.callback(process.kill)
        soaked = Soaked()
        reader = threading.Thread(target=_read, args=(process, soaked), daemon=True)
        reader.start()
        before = _wait_until_attached(process, bed, soaked)
        _load(senders, process, soaked, seconds)
        soaked.dropped = (bed.statistics() - before).dropped
        process.terminate()
        soaked.code = process.wait(60)
        reader.join(60)
        soaked.identical = compare(load(recording)).difference is None
        return soaked


def checks(soaked: Soaked) -> list[dict[str, Any]]:
    """Return what must hold, and what was found."""
    summary, drift = soaked.summary, memory_drift(soaked.memory)
    numbers = [epoch["epoch"] for epoch in soaked.epochs]
    whole = numbers == list(range(len(numbers))) and not summary["epochs"]["lost"]
    found = [
        ("it ended by itself, with 0", soaked.code == 0, f"exit code {soaked.code}"),
        (
            "the ledger balances",
            summary["ledger_difference"] == 0,
            f"difference {summary['ledger_difference']}",
        ),
        (
            "every packet is accounted for",
            summary["packets"] == soaked.offered - soaked.dropped,
            f"{summary['packets']:,} of {soaked.offered:,}, {soaked.dropped:,} dropped before XDP",
        ),
        ("no epoch is lost", whole, f"{len(numbers)} epochs"),
        ("no record is lost", summary["records_dropped"] == 0, f"{soaked.scrapes} scrapes besides"),
        (
            "memory is flat",
            drift is not None and drift <= DRIFT,
            "too short to tell" if drift is None else f"{drift / 1024:+,.0f} KiB over the rest",
        ),
        ("the policy decides the same again", soaked.identical is True, "from the recording"),
    ]
    return [
        {"check": name, "state": "ok" if holds else "fail", "found": what}
        for name, holds, what in found
    ]


def memory_drift(memory: list[tuple[float, int]]) -> float | None:
    """Return by how many bytes a line fitted through the settled part rises over that part."""
    if not memory:
        return None
    begin = memory[0][0] + SETTLE * (memory[-1][0] - memory[0][0])
    settled = np.array([sample for sample in memory if sample[0] >= begin])
    if len(settled) < 10:
        return None
    slope = float(np.polyfit(settled[:, 0], settled[:, 1], 1)[0])
    return slope * float(settled[-1, 0] - settled[0, 0])


def minutes(soaked: Soaked) -> Iterator[dict[str, Any]]:
    """Yield a row for every minute of the run."""
    epochs = soaked.epochs
    for minute in range(int(epochs[-1]["end_s"] // 60) + 1):
        mine = [epoch for epoch in epochs if int(epoch["begin_s"] // 60) == minute]
        memory = [size for at, size in soaked.memory if int(at // 60) == minute]
        yield {
            "minute": minute,
            "packets": sum(epoch["packets"] for epoch in mine),
            "epochs": len(mine),
            "low": sum(epoch["detail"] == "low" for epoch in mine),
            "switches": sum(len(epoch["switches"]) for epoch in mine),
            "memory_mib": round(float(np.mean(memory)) / (1 << 20), 2) if memory else None,
            "difference": sum(epoch["ledger_difference"] for epoch in mine),
        }


def _generator(stack: ExitStack, bed: Testbed, sources: int) -> Generator:
    frame = frames_for(keys_of(np.arange(1), SRC, 1)).frame(0)
    numbers = np.uint32(10) | np.arange(sources, dtype=np.uint32) << np.uint32(8)
    return stack.enter_context(Generator(bed, frame, numbers))


def _start(bed: Testbed, recording: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lab.cli", "run", bed.receiver.interface]
    command += ["--netns", bed.receiver.namespace, "--verdict", "drop", "--format", "jsonl"]
    command += ["--metrics", "0", "--record", str(recording), "--query", "10.1.0.0"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _read(process: subprocess.Popen[str], soaked: Soaked) -> None:
    assert process.stdout
    for line in process.stdout:
        soaked.records.append(json.loads(line))


def _wait_until_attached(
    process: subprocess.Popen[str], bed: Testbed, soaked: Soaked
) -> Statistics:
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("metrics are at "):
            url = line.split()[-1]
            threading.Thread(target=_scrape, args=(process, url, soaked), daemon=True).start()
        if "is attached" in line:
            return bed.statistics()
    raise LabError(f"lab run did not attach: {''.join(said)}")


def _scrape(process: subprocess.Popen[str], url: str, soaked: Soaked) -> None:
    while process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            soaked.scrapes += bool(answer.read())
        time.sleep(SCRAPE_S)


def _load(
    senders: dict[str, Generator], process: subprocess.Popen[str], soaked: Soaked, seconds: float
) -> None:
    begin = time.monotonic()
    with progress("seconds of load", seconds) as advance:
        for load in itertools.cycle(LOADS):
            end = min(time.monotonic() + load.seconds, begin + seconds)
            sending = senders[load.name].start(1 << 40, load.rate)
            while time.monotonic() < end and process.poll() is None:
                time.sleep(1.0)
                soaked.memory.append((time.monotonic() - begin, _resident(process.pid)))
                advance(1)
            sending.stop()
            soaked.offered += sending.offered()
            if time.monotonic() >= begin + seconds or process.poll() is not None:
                return


def _resident(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * PAGE


def main() -> None:
    """Soak, print what came of it, and end with the documented exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default: 600)")
    parser.add_argument("--format", choices=list(Format), type=Format, default=Format.TABLE)
    options = parser.parse_args()
    try:
        _report(soak(options.seconds), options.format)
    except LabError as error:
        message(f"error: {error}")
        if error.try_:
            message(f"try: {error.try_}")
        sys.exit(error.exit_code)


def _report(soaked: Soaked, form: Format) -> None:
    found, summary = checks(soaked), soaked.summary
    numbers = ("packets", "user_cpu_share", "epoch_read_ms", "epoch_read_cpu_ms", "grace_ms")
    metadata = {name: summary[name] for name in (*numbers, "detail", "epochs", "longest_gap_ms")}
    if form is Format.TABLE:
        for rows in (list(minutes(soaked)), [_speed(summary)], found):
            write(Report(SCHEMA, rows), form)
            print()
    else:
        write(Report(SCHEMA, list(minutes(soaked)), {**metadata, "checks": found}), form)
    failed = [check["check"] for check in found if check["state"] == "fail"]
    if failed:
        raise CheckFailed(f"the soak failed: {'; '.join(failed)}", try_="run it on a calm machine")


def _speed(summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "user CPU": f"{100 * summary['user_cpu_share']:.1f} %",
        "epoch read, ms": summary["epoch_read_ms"]["median"],
        "p95": summary["epoch_read_ms"]["p95"],
        "of that at work": summary["epoch_read_cpu_ms"]["median"],
        "grace, ms": summary["grace_ms"]["median"],
        "longest gap, ms": round(summary["longest_gap_ms"]),
    }


if __name__ == "__main__":
    main()
