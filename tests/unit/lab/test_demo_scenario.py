from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lab.demo import capture, scenario
from lab.errors import BadInput
from simulator import metrics
from simulator.frames import Frames
from simulator.layout import FLOW, SRC, Outcome
from simulator.parsing import parse
from simulator.policy import Policy
from simulator.traces import write_pcap
from simulator.traffic import frames_for, keys_of

MTU = 1500


@pytest.fixture(scope="module")
def planned() -> scenario.Scenario:
    rng = np.random.default_rng(1)
    calm, rate = scenario.generated_calm(Policy(), rng)
    return scenario.scenario(calm, rate, 12, rng)


def save(path: Path, frames: Frames) -> str:
    with path.open("wb") as file:
        write_pcap(file, frames)
    return str(path)


def sources(frames: Frames) -> np.ndarray:
    return parse(frames).keys(SRC)


def test_phases_last_as_long_as_asked_for(planned: scenario.Scenario) -> None:
    assert [(phase.name, phase.epochs) for phase in planned.phases] == [
        ("calm", 4),
        ("flood", 3),
        ("calm again", 5),
    ]


def test_shortest_run_leaves_time_to_return() -> None:
    assert scenario.calm_seconds(scenario.LEAST_SECONDS) == (2, 3)


def test_command_refuses_what_is_shorter() -> None:
    from lab.commands import demo

    assert demo.LEAST_SECONDS == scenario.LEAST_SECONDS


def test_flood_has_at_least_200_000_new_sources(planned: scenario.Scenario) -> None:
    assert planned.flood.new >= 200_000
    assert planned.flood.new_sources(len(planned.flood.sources)) == planned.flood.new


def test_flood_offers_at_least_a_million_packets_a_second() -> None:
    assert scenario.FLOOD_RATE >= 1e6


def test_calm_senders_go_on_in_the_flood(planned: scenario.Scenario) -> None:
    taken = np.isin(planned.flood.sources, planned.flood.known)
    assert taken.mean() == pytest.approx(scenario.CALM_RATE / scenario.FLOOD_RATE, rel=0.05)


def test_flood_frames_have_the_sources_of_the_list(planned: scenario.Scenario) -> None:
    found = sources(planned.flood.frames(5, 9))[:, 1] >> np.uint64(32)
    assert found.tolist() == planned.flood.sources[5:9].tolist()


def test_streams_begin_again(planned: scenario.Scenario) -> None:
    for stream, length in (
        (planned.calm, len(planned.calm.period)),
        (planned.flood, len(planned.flood.sources)),
    ):
        again = stream.frames(length - 1, length + 2)
        assert [again.frame(i) for i in range(1, 3)] == [
            stream.frames(0, 2).frame(i) for i in range(2)
        ]


def test_same_seed_gives_the_same_packets() -> None:
    def make() -> scenario.Scenario:
        rng = np.random.default_rng(7)
        return scenario.scenario(*scenario.generated_calm(Policy(), rng), 8, rng)

    first, second = make(), make()
    assert np.array_equal(first.flood.sources, second.flood.sources)
    assert np.array_equal(first.calm.period.data, second.calm.period.data)


@pytest.mark.parametrize("threshold", [100, 1_000, 10_000, 1_000_000])
def test_calm_traffic_is_calm_at_any_threshold(threshold: int) -> None:
    policy = Policy(threshold=threshold)
    calm, _ = scenario.generated_calm(policy, np.random.default_rng(1))
    keys, _, _ = metrics.truth(sources(calm))
    assert len(keys) < policy.return_below


def test_capture_without_ipv4_gives_a_flood_of_new_sources_only() -> None:
    arp = Frames.from_bytes([bytes(12) + b"\x08\x06" + bytes(46)])
    planned = scenario.scenario(arp, 100.0, 8, np.random.default_rng(1))
    assert len(planned.flood.known) == 0
    assert planned.flood.new >= 200_000


def test_capture_of_few_keys_is_sent_at_full_rate() -> None:
    frames = frames_for(keys_of(np.arange(60_000) % 100, SRC, 1))
    assert scenario.calm_rate(frames, SRC, Policy(), 3) == scenario.CALM_RATE


def test_capture_of_many_keys_is_sent_slowly_enough_to_be_calm() -> None:
    frames = frames_for(keys_of(np.arange(60_000), SRC, 1))
    rate = scenario.calm_rate(frames, SRC, Policy(), 3)
    assert 0 < rate <= scenario.calm_keys(Policy())


def test_pace_of_a_capture_depends_on_what_is_counted() -> None:
    flows = keys_of(np.arange(60_000), FLOW, 1)
    flows[:, :2] = flows[0, :2]
    frames = frames_for(flows)
    paces = [scenario.calm_rate(frames, key, Policy(), 3) for key in (SRC, FLOW)]
    assert paces[0] > paces[1]


def test_capture_keeps_the_frames_that_fit_the_link(tmp_path: Path) -> None:
    sizes = [14, 60, MTU + 14, MTU + 15, 9000, 100]
    path = save(tmp_path / "mixed.pcap", Frames.from_bytes([bytes(size) for size in sizes]))
    found = capture.load(path, 100, MTU)
    assert found.frames.lengths.tolist() == [14, 60, MTU + 14, 100]
    assert found.skipped == 2


def test_capture_is_read_only_as_far_as_it_is_sent(tmp_path: Path) -> None:
    path = save(tmp_path / "long.pcap", frames_for(keys_of(np.arange(1000), SRC, 1)))
    frames = capture.load(path, 10, MTU).frames
    assert len(frames) == 10
    assert set(parse(frames).outcomes) == {Outcome.IP}


def test_capture_of_frames_that_are_all_too_long_is_bad_input(tmp_path: Path) -> None:
    path = save(tmp_path / "jumbo.pcap", Frames.from_bytes([bytes(9000)]))
    with pytest.raises(BadInput, match="none of its frames fits an MTU of 1500") as refused:
        capture.load(path, 10, MTU)
    assert "ethtool -K IFACE gso off gro off" in (refused.value.try_ or "")


def test_file_that_is_no_capture_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no capture")
    with pytest.raises(BadInput, match="neither pcap nor pcapng"):
        capture.load(str(path), 10, MTU)
