"""The metrics of a run: names, bounded labels, and what prometheus-client reads of them."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from lab.run.address import Address, parse_address
from lab.run.look import Latest, Look
from lab.run.metrics import Collector
from simulator.policy import Policy
from tests.unit.lab.run_samples import Run


@pytest.fixture(scope="module")
def look() -> Look:
    run = Run(Policy(), duration_s=1.5)
    run.chronicle.ask("10.1.0.0")
    run.packets(0.5, [1, 1, *range(2, 60)])
    run.loop.run()
    return run.looks[-1]


def registry(look: Look | None, top: int = 0) -> CollectorRegistry:
    latest = Latest()
    if look:
        latest.set(look)
    found = CollectorRegistry()
    found.register(Collector(latest, top))
    return found


def test_nothing_is_told_before_the_first_tick() -> None:
    assert generate_latest(registry(None)) == b""


@pytest.mark.parametrize("top", [0, 2])
def test_both_formats_are_read_by_the_client_itself(look: Look, top: int) -> None:
    found = registry(look, top)
    plain = {f.name: f for f in parse(generate_latest(found).decode())}
    opened = {f.name: f for f in parse_open(openmetrics(found).decode())}
    assert plain.keys() >= opened.keys()
    for family in opened.values():
        assert family.documentation.endswith(".")
        assert family.name.startswith("glimpse_")


def test_accounts_add_up(look: Look) -> None:
    found = registry(look)
    accounts = {
        account: found.get_sample_value("glimpse_packets_total", {"account": account})
        for account in ("exact", "sketched", "not_ip", "malformed")
    }
    assert accounts == {"exact": 60, "sketched": 0, "not_ip": 0, "malformed": 0}
    assert found.get_sample_value("glimpse_ledger_difference") == 0


def test_labels_are_few_unless_asked_for(look: Look) -> None:
    samples = [s for f in registry(look).collect() for s in f.samples]
    keys = {sample.labels["key"] for sample in samples if "key" in sample.labels}
    assert keys == {"10.1.0.0"}  # the query


def test_top_keys_are_as_many_as_asked_for(look: Look) -> None:
    (family,) = (f for f in registry(look, 2).collect() if f.name == "glimpse_top_key_packets")
    assert {sample.labels["bound"] for sample in family.samples} == {"lower", "upper"}
    assert len({sample.labels["key"] for sample in family.samples}) == 2


@pytest.mark.parametrize(
    ("text", "address", "written"),
    [
        ("9435", Address("127.0.0.1", 9435), "127.0.0.1:9435"),
        (":9435", Address("127.0.0.1", 9435), "127.0.0.1:9435"),
        ("0.0.0.0:80", Address("0.0.0.0", 80), "0.0.0.0:80"),
        ("[::1]:9435", Address("::1", 9435), "[::1]:9435"),
    ],
)
def test_address_is_read(text: str, address: Address, written: str) -> None:
    assert parse_address(text) == address
    assert str(address) == written


@pytest.mark.parametrize("text", ["", "here", "1.2.3.4", "1.2.3.4:99999", "::1:80", "host:"])
def test_what_is_no_address_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is no address: write PORT, HOST:PORT or"):
        parse_address(text)
