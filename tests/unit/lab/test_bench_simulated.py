from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab.bench import simulated, streams
from lab.bench.simulated import PEERS, Peer
from lab.cli import run
from simulator.layout import SRC

SMALL = tuple(replace(peer, packets=2000) for peer in PEERS)
ABSENT = Peer("nobody's count_min", "no-such-distribution", 1000, lambda keys: lambda: None)


def quiet(steps: float = 1) -> None:
    pass


def test_every_installed_peer_has_a_row() -> None:
    rows = list(simulated.rows(10, 1, quiet, SMALL))
    expected = [peer.name for peer in PEERS if peer.name not in simulated.missing(PEERS)]
    assert [row["subject"] for row in rows] == expected
    assert rows[0]["simulator_is_faster"] == 1.0
    for row in rows:
        assert row["keys_per_second_low"] <= row["keys_per_second"] <= row["keys_per_second_high"]


def test_peer_that_is_not_installed_is_named_and_has_no_row() -> None:
    peers = (SMALL[0], ABSENT)
    assert simulated.missing(peers) == {ABSENT.name: "no-such-distribution is not installed"}
    assert [row["subject"] for row in simulated.rows(10, 1, quiet, peers)] == [PEERS[0].name]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peer_counts_every_key(peer: Peer) -> None:
    if peer.name in simulated.missing(PEERS):
        pytest.skip(f"{peer.library} is not installed: pip install {peer.library}")
    counter = peer.prepare(streams.draw("zipf-1.1", 100, 500, SRC, 1).keys)
    counter.run()
    assert counter.total() == 500
    counter.run()
    assert counter.total() == 1000


def test_command_writes_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "PEERS", SMALL[:1])
    code = run(["bench", "--simulator", "--out", str(tmp_path), "--format", "json"])
    out, error = capsys.readouterr()
    assert code == 0, error
    assert [row["subject"] for row in json.loads(out)["results"]] == [PEERS[0].name]
    assert (tmp_path / "simulator.csv").exists()
