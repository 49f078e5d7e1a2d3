"""A run under a flood, on a veth pair: it trips, it accounts for everything, it survives a stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from lab import testbed
from lab.testbed import Generator
from simulator.layout import SRC
from simulator.traffic import frames_for, keys_of
from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

SOURCES = 50_000
CALM = 300
STOPPED_S = 10

pytestmark = [needs_root, needs_clang, pytest.mark.xdist_group("testbed")]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def bed(stack: ExitStack) -> testbed.Testbed:
    return stack.enter_context(testbed.Testbed())


@pytest.fixture
def run(bed: testbed.Testbed) -> Iterator[live.Runs]:
    with live.runs() as run:
        yield run


def start(run: live.Runs, bed: testbed.Testbed, *arguments: str) -> live.Live:
    arguments = ("--netns", bed.receiver.namespace, "--verdict", "drop", *arguments)
    return run(bed.receiver.interface, *arguments)


def generator(stack: ExitStack, bed: testbed.Testbed, sources: int) -> Generator:
    """Return what sends UDP frames from so many sources in turn: 10.x.y.z."""
    keys = keys_of(np.arange(1), SRC, 1)
    numbers = np.uint32(10) | (np.arange(sources, dtype=np.uint32) << np.uint32(8))
    return stack.enter_context(Generator(bed, frames_for(keys).frame(0), numbers))


def finished(sending: object, process: live.Live) -> int:
    """Wait until everything is sent, reading what the run says meanwhile; returns the packets."""
    while sending.running():
        process.record()
    return sending.offered()


def test_flood_trips_in_the_kernel_and_every_packet_is_accounted_for(
    bed: testbed.Testbed, stack: ExitStack, run: live.Runs
) -> None:
    process = start(run, bed)
    before = bed.statistics()
    flood = generator(stack, bed, SOURCES).start(1_000_000, 1e6)
    offered = finished(flood, process)
    while process.record().get("detail") != "high":
        pass
    dropped = (bed.statistics() - before).dropped
    code, records = process.end()
    found = live.summary(records)
    assert code == 0
    assert found["packets"] == offered - dropped
    assert found["dropped_before_xdp"] == dropped
    low, high = found["switches"][0], found["switches"][-1]
    assert (low["detail"], low["cause"]) == ("low", "budget spent")
    assert (high["detail"], high["cause"]) == ("high", "calm")
    assert found["exact"] > 0
    assert found["sketched"] > 0


def test_stopped_run_trips_by_itself_and_accounts_for_everything(
    bed: testbed.Testbed, stack: ExitStack, run: live.Runs
) -> None:
    process = start(run, bed)
    before = bed.statistics()
    first = process.epoch_with(packets=0)
    assert first["detail"] == "high"
    flood = generator(stack, bed, SOURCES).start(1 << 40, 3e5)
    process.process.send_signal(signal.SIGSTOP)
    namespaces.wait_until(lambda: stopped(process), "it is stopped")
    begin = time.monotonic()
    namespaces.wait_until(lambda: time.monotonic() - begin > STOPPED_S, "ten seconds have passed")
    process.process.send_signal(signal.SIGCONT)
    late = process.epoch_with(packets=1)
    while late["end_s"] - late["begin_s"] < STOPPED_S:
        late = process.record()
    flood.stop()
    dropped = (bed.statistics() - before).dropped
    code, records = process.end()
    found = live.summary(records)
    assert code == 0
    assert found["packets"] == flood.offered() - dropped
    assert found["switches"][0]["cause"] == "budget spent"
    assert late["detail"] == "low"
    trip_s = (found["switches"][0]["time_ns"] - found["start_ns"]) / 1e9
    assert trip_s < late["begin_s"] + STOPPED_S  # by itself, while nobody looked


def stopped(process: live.Live) -> bool:
    return all(status["State"].startswith("T") for status in live.tasks(process.process.pid))


def test_calm_traffic_stays_exact(bed: testbed.Testbed, stack: ExitStack, run: live.Runs) -> None:
    process = start(run, bed, "--query", "10.5.0.0")
    finished(generator(stack, bed, CALM).start(30_000, 1e4), process)
    found = live.summary(process.end()[1])
    assert (found["packets"], found["exact"]) == (30_000, 30_000)
    assert found["switches"] == []
