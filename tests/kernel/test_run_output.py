"""Readers of a run: slow ones, ones that go away, and disks that are full."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import signal
import subprocess
from pathlib import Path

from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

F_SETPIPE_SZ = 1031

pytestmark = [needs_root, needs_clang]


def test_slow_reader_does_not_hold_the_run_up(left: str, run: live.Runs) -> None:
    """Nobody reads until the run has detached; its output is far more than the pipe holds."""
    out, into = os.pipe()
    fcntl.fcntl(into, F_SETPIPE_SZ, 4096)
    process = run(left, "--duration", "3", "--epoch", "0.1", stdout=into)
    os.close(into)
    namespaces.wait_until(lambda: live.attached(left) == [], "the run has detached")
    assert process.process.poll() is None  # it waits for the reader, now that all else is done
    with os.fdopen(out) as pipe:
        records = [json.loads(line) for line in pipe]
    found = live.summary(records)
    assert process.process.wait(namespaces.DEADLINE_S) == 0
    numbers = [record["epoch"] for record in records if record["record"] == "epoch"]
    assert numbers == list(range(found["epochs"]["count"]))
    assert found["records_dropped"] == 0


def test_second_signal_gives_a_stuck_reader_up(left: str, run: live.Runs) -> None:
    out, into = os.pipe()
    fcntl.fcntl(into, F_SETPIPE_SZ, 4096)
    process = run(left, "--duration", "1", "--epoch", "0.1", "--top", "0", stdout=into)
    os.close(into)
    namespaces.wait_until(lambda: live.attached(left) == [], "the run has detached")
    namespaces.wait_until(lambda: process.process.poll() is not None or _told(process), "it ends")
    # One that comes while Python takes itself down meets no handler any more.
    assert process.process.wait(namespaces.DEADLINE_S) in (0, -signal.SIGTERM)
    os.close(out)


def _told(process: live.Live) -> bool:
    process.process.send_signal(signal.SIGTERM)
    return False


def test_closed_pipe_ends_with_0(left: str, run: live.Runs) -> None:
    out, into = os.pipe()
    process = run(left, "--epoch", "0.1", stdout=into)
    os.close(into)
    os.close(out)
    assert process.process.wait(namespaces.DEADLINE_S) == 0
    assert live.attached(left) == []
    assert "error" not in process.said


def test_full_disk_of_the_output_ends_with_3(left: str, run: live.Runs) -> None:
    with Path("/dev/full").open("w") as full:
        process = run(left, "--epoch", "0.1", stdout=full)
        assert process.process.wait(namespaces.DEADLINE_S) == 3
    namespaces.wait_until(lambda: "try: free some space" in process.said, "it says what to do")
    assert "error: no space left on device" in process.said
    assert live.attached(left) == []


def test_json_is_one_document(left: str, run: live.Runs) -> None:
    process = run(left, "--format", "json", "--duration", "0.5", "--epoch", "0.1")
    live.send("right", 3)
    assert process.process.stdout
    document = json.loads(process.process.stdout.read())
    assert (document["schema"], document["interface"]) == (1, left)
    assert sum(epoch["packets"] for epoch in document["results"]) == document["summary"]["packets"]


def test_csv_has_a_row_per_epoch(left: str, run: live.Runs) -> None:
    process = run(left, "--format", "csv", "--duration", "0.5", "--epoch", "0.1")
    live.send("right", 3)
    assert process.process.stdout
    rows = list(csv.DictReader(io.StringIO(process.process.stdout.read())))
    assert [int(row["epoch"]) for row in rows] == list(range(len(rows)))
    assert sum(int(row["packets"]) for row in rows) == 3


def test_table_comes_at_the_end(left: str, run: live.Runs) -> None:
    process = run(left, "--format", "table", "--epoch", "600")
    live.send("right", 3, source=9)
    process.process.send_signal(signal.SIGTERM)
    assert process.process.stdout
    text = process.process.stdout.read()
    assert "dropped before XDP" in text
    assert "10.0.0.9" in text


def test_flow_keys_are_written_as_they_are_asked_for(left: str, run: live.Runs) -> None:
    flow = "10.0.0.7:1-10.0.0.254:2/udp"
    process = run(left, "--key", "flow", "--epoch", "600", "--query", flow)
    live.send("right", 5, source=7)
    _, records = process.end()
    (epoch,) = (record for record in records if record["record"] == "epoch")
    assert epoch["queries"] == epoch["top"]
    assert epoch["queries"][0] == {
        "key": flow,
        "packets": 5,
        "kind": "exact",
        "lower": 5,
        "upper": 5,
    }


def test_query_that_is_no_key_ends_with_2(left: str, run: live.Runs) -> None:
    process = run(left, "--query", "somewhere", ready=False)
    assert process.ended() == (2, [])
    namespaces.wait_until(lambda: "try:" in process.said, "it says what to do")
    assert "error: 'somewhere' is no src key: write 192.0.2.7 or 2001:db8::7" in process.said


def test_default_in_a_pipe_is_json_lines(left: str) -> None:
    done = subprocess.run(
        [*live.LAB, "run", left, "--duration", "0.2"],
        cwd=namespaces.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[0])["schema"] == 1
