"""The metrics of a run, as curl gets them."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from lab.toolchain import find
from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def left() -> Iterator[str]:
    with live.cable() as left:
        namespaces.ip("link set lo up")
        yield left


def url(process: live.Live) -> str:
    process.wait_for("metrics are at ")
    return process.said.partition("metrics are at ")[2].split()[0]


def curl(address: str, *options: str) -> str:
    done = subprocess.run(
        [find("curl"), "--silent", "--fail", *options, address],
        capture_output=True,
        text=True,
        check=True,
        timeout=namespaces.DEADLINE_S,
    )
    return done.stdout


def samples(text: str, open_metrics: bool) -> dict[tuple[str, ...], float]:
    """Read an answer with prometheus-client's own parsers."""
    from prometheus_client.openmetrics import parser as openmetrics_parser
    from prometheus_client.parser import text_string_to_metric_families

    parse = (
        openmetrics_parser.text_string_to_metric_families
        if open_metrics
        else text_string_to_metric_families
    )
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("open_metrics", [False, True])
def test_curl_gets_what_the_parser_of_prometheus_reads(
    left: str, run: live.Runs, open_metrics: bool
) -> None:
    process = run(left, "--metrics", "0", "--query", "10.0.0.7")
    live.send("right", 5, source=7)
    process.epoch_with(packets=5)
    accept = ["--header", f"Accept: {OPEN_METRICS}"] if open_metrics else []
    text = curl(url(process), *accept)
    assert text.endswith("# EOF\n") == open_metrics
    found = samples(text, open_metrics)
    assert found["glimpse_packets_total", "exact"] == 5
    assert found["glimpse_packets_total", "sketched"] == 0
    assert found["glimpse_ledger_difference",] == 0
    assert found["glimpse_low_detail",] == 0
    assert found["glimpse_dropped_before_xdp_packets_total",] == 0
    assert found["glimpse_query_packets", "upper", "10.0.0.7"] == 5


def test_keys_are_no_labels_unless_asked_for(left: str, run: live.Runs) -> None:
    process = run(left, "--metrics", "0")
    live.send("right", 5, source=7)
    process.epoch_with(packets=5)
    assert "10.0.0.7" not in curl(url(process))


def test_top_keys_are_labels_where_asked_for(left: str, run: live.Runs) -> None:
    process = run(left, "--metrics", "0", "--metrics-top", "1", "--epoch", "0.5")
    live.send("right", 5, source=7)
    process.epoch_with(packets=5)
    text = curl(url(process))
    assert text.count("glimpse_top_key_packets{") <= 2  # one key, its two bounds


def test_promtool_has_no_complaint(left: str, run: live.Runs) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing; apt-get install prometheus")
    process = run(left, "--metrics", "0")
    process.epoch_with(packets=0)
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=curl(url(process)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_address_in_use_ends_with_5(left: str, run: live.Runs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = run(left, "--metrics", str(port), ready=False)
        assert process.ended() == (5, [])
    namespaces.wait_until(lambda: "try: another port" in process.said, "it says what to do")
    assert f"error: metrics: 127.0.0.1:{port} is in use" in process.said
    assert live.attached(left) == []


def test_address_of_another_machine_ends_with_2(left: str, run: live.Runs) -> None:
    process = run(left, "--metrics", "192.0.2.1:9435", ready=False)
    assert process.ended() == (2, [])
    namespaces.wait_until(lambda: "try: an address of this machine" in process.said, "it says so")
    assert "error: metrics: cannot listen on 192.0.2.1:9435" in process.said


def test_text_that_is_no_address_ends_with_2(left: str, run: live.Runs) -> None:
    process = run(left, "--metrics", "here", ready=False)
    assert process.ended() == (2, [])
    namespaces.wait_until(lambda: "'here' is no address" in process.said, "it says so")
