from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.layout import FLOW, SRC, Key, Outcome
from simulator.parsing import parse
from simulator.traffic import TRAFFIC, frames_for, generate, keys_of
from simulator.traffic.streams import caida, churn, flash_crowd, spoofed_flood, zipf

KEYS = [SRC, FLOW]
MAPPED = 0xFFFF0000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def counts_of(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the packets per key, largest first."""
    _, counts = np.unique(keys, axis=0, return_counts=True)
    return np.sort(counts)[::-1]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
@pytest.mark.parametrize("name", TRAFFIC)
def test_every_stream_gives_packets_that_parse_to_its_keys(name: str, key: Key) -> None:
    traffic = generate(name, 5_000, 3, key=key, ipv6_share=0.25)
    parsed = parse(frames_for(*traffic))
    assert traffic.keys.shape == (5_000, key.words)
    assert np.all(parsed.outcomes == Outcome.IP)
    assert np.array_equal(parsed.keys(key), traffic.keys)
    assert np.array_equal(parsed.lengths, traffic.lengths)


@pytest.mark.parametrize("name", TRAFFIC)
def test_every_stream_is_the_same_for_the_same_seed(name: str) -> None:
    one, same, other = (generate(name, 2_000, seed, key=FLOW) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one.keys, other.keys)


@pytest.mark.parametrize("name", TRAFFIC)
def test_every_stream_has_a_meaning_and_ascending_times(name: str) -> None:
    assert TRAFFIC[name].meaning
    assert np.all(np.diff(generate(name, 2_000, 1).times_ns.astype(np.int64)) >= 0)


def test_a_generator_as_seed_moves_on(rng: np.random.Generator) -> None:
    first, second = generate("uniform", 100, rng), generate("uniform", 100, rng)
    assert not np.array_equal(first.keys, second.keys)


def test_generate_lets_parameters_and_rate_be_chosen() -> None:
    traffic = generate("constant", 10_000, 1, keys=7, rate=1_000.0)
    assert len(counts_of(traffic.keys)) == 7
    seconds = (int(traffic.times_ns[-1]) - int(traffic.times_ns[0])) / 1e9
    assert seconds == pytest.approx(10, rel=0.1)


def test_generate_names_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"unknown traffic 'nosuch'; there is constant, distinct"):
        generate("nosuch", 1, 1)


def test_a_sender_has_one_address_under_both_keys() -> None:
    by_source, by_flow = (generate("zipf-1.1", 3_000, 9, key=key) for key in KEYS)
    assert np.array_equal(by_flow.keys[:, :2], by_source.keys)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_keys_of_distinct_senders_are_distinct(share: float) -> None:
    keys = keys_of(np.arange(200_000), SRC, 77, share)
    assert len(np.unique(keys, axis=0)) == 200_000
    ipv4 = (keys[:, 0] == 0) & (keys[:, 1] & np.uint64(0xFFFFFFFF) == MAPPED)
    assert ipv4.mean() == pytest.approx(1 - share, abs=0.01)


def test_ipv4_senders_have_unicast_addresses() -> None:
    first = keys_of(np.arange(100_000), SRC, 5).view(np.uint8).reshape(-1, 16)[:, 12]
    assert first.min() >= 1
    assert first.max() <= 223
    assert 127 not in first


def test_keys_of_refuses_what_it_cannot_map() -> None:
    with pytest.raises(ValueError, match=r"sender numbers must be 0 to 2,113,929,215"):
        keys_of(np.array([2**31]), SRC, 1)
    with pytest.raises(ValueError, match=r"share of IPv6 must be 0 to 1, not 2"):
        keys_of(np.array([1]), SRC, 1, 2)


def test_caida_preset_fits_the_published_excerpt() -> None:
    # 65,536 packets of a CAIDA 2016 trace: 12,077 sources, 7.6 % of packets from the top 10, 25.8 %
    # from the top 100, 52 % of sources seen once (the fit: 58 %), 40 % repeat one of the last 16.
    keys = generate("caida-2016", 65_536, 1).keys[:, 1]
    counts = counts_of(keys[:, None])
    assert len(counts) == pytest.approx(12_100, rel=0.03)
    assert counts[:10].sum() / 65_536 == pytest.approx(0.073, abs=0.01)
    assert counts[:100].sum() / 65_536 == pytest.approx(0.255, abs=0.015)
    assert (counts == 1).mean() == pytest.approx(0.58, abs=0.03)
    repeats = np.zeros(len(keys), bool)
    for back in range(1, 17):
        repeats[back:] |= keys[back:] == keys[:-back]
    assert repeats.mean() == pytest.approx(0.4, abs=0.02)


def test_caida_preset_grows_as_published() -> None:
    # About 110,000 sources in 5 s (2.5 M packets), Elastic Sketch technical report.
    assert len(np.unique(generate("caida-2016", 2_500_000, 1).keys[:, 1])) == pytest.approx(
        112_000, rel=0.05
    )


def test_zipf_follows_its_exponent(rng: np.random.Generator) -> None:
    counts = np.bincount(zipf(rng, 400_000, keys=1_000, alpha=1.0).ids, minlength=1_000)
    for rank in (2, 5, 20):
        assert counts[0] / counts[rank - 1] == pytest.approx(rank, rel=0.1)


def test_caida_trains_are_back_to_back_without_a_gap(rng: np.random.Generator) -> None:
    ids = caida(rng, 50_000, gap=0.0, keys=10**6).ids
    mean_run = len(ids) / (1 + np.count_nonzero(np.diff(ids)))
    assert mean_run == pytest.approx(0.7 + 0.3 * 6, rel=0.05)


def test_churn_replaces_keys_at_its_rate(rng: np.random.Generator) -> None:
    ids = churn(rng, 100_000, keys=1_000, births=0.05, alpha=0.0).ids
    early, late = (set(ids[part].tolist()) for part in (slice(10_000), slice(90_000, None)))
    assert 1_300 < len(early) <= 1_501  # 1,000 alive and 500 born, but for some seen too briefly
    assert not early & late  # 90,000 packets later, 4,000 births: every one is replaced


def test_flash_crowd_ramps_up_and_stays(rng: np.random.Generator) -> None:
    ids, pace = flash_crowd(rng, 100_000, keys=100, crowd=5_000, share=0.5, start=0.2, full=0.6)
    new = ids >= 100
    assert not new[:20_000].any()
    assert 0 < new[20_000:40_000].mean() < new[40_000:60_000].mean() < 0.5
    assert new[60_000:].mean() == pytest.approx(0.5, abs=0.02)
    assert len(np.unique(ids[60_000:])) == pytest.approx(5_000, rel=0.05)
    assert np.all(np.asarray(pace)[60_000:] == pytest.approx(2))


def test_spoofed_flood_never_repeats_an_attacker(rng: np.random.Generator) -> None:
    ids, pace = spoofed_flood(rng, 100_000, keys=100, share=0.8, start=0.3, stop=0.7)
    attack = ids >= 100
    assert not attack[:30_000].any()
    assert not attack[70_000:].any()
    assert attack[30_000:70_000].mean() == pytest.approx(0.8, abs=0.02)
    assert len(np.unique(ids[attack])) == attack.sum()
    assert np.asarray(pace)[50_000] == pytest.approx(5)  # the calm traffic keeps its rate


def flow(source: str, destination: str, sport: int, dport: int, protocol: int) -> bytes:
    ports = sport.to_bytes(2, "big") + dport.to_bytes(2, "big")
    return bytes.fromhex(source + destination) + ports + bytes((protocol, 0, 0, 0))


IPV4 = "00000000000000000000ffff01020304"
IPV6 = "20010db8000000000000000000000001"


# Without ICMP of the other IP version: scapy reads none.
@pytest.mark.parametrize(
    ("address", "protocol"),
    [(IPV4, n) for n in (1, 2, 6, 17, 47, 50, 51, 59, 132, 255)]
    + [(IPV6, n) for n in (2, 6, 17, 47, 50, 51, 58, 59, 132, 255)],
)
def test_frames_for_agrees_with_scapy(address: str, protocol: int) -> None:
    from simulator.packets import dissect

    echo, ports = protocol in (1, 58), protocol in (6, 17, 132)
    key = flow(address, address, 700 if echo or ports else 0, 80 if ports else 0, protocol)
    frames = frames_for(np.frombuffer(key, np.uint64).reshape(1, 5), np.array([200], np.uint32))
    expected = dissect(frames.frame(0))
    assert expected is not None
    assert expected.flow_key == key


def test_frames_for_makes_lengths_and_checksums_that_scapy_makes_too() -> None:
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    frames = frames_for(*generate("uniform", 20, 2))
    for i in range(20):
        packet = Ether(frames.frame(i))
        ip, checksum = packet[IP], packet[IP].chksum
        assert (ip.len, packet[UDP].len) == (len(packet) - 14, len(packet) - 34)
        del ip.chksum
        assert Ether(bytes(packet))[IP].chksum == checksum


def test_frames_for_without_lengths_makes_the_shortest() -> None:
    frames = frames_for(keys_of(np.arange(3), SRC, 1))
    assert frames.lengths.tolist() == [60] * 3
    assert frames.times_ns.tolist() == [0] * 3


def test_frames_for_captures_headers_only() -> None:
    frames = frames_for(keys_of(np.arange(3), SRC, 1), np.full(3, 1514, np.uint32))
    assert frames.captured.tolist() == [14 + 20 + 8] * 3


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (flow(IPV4, IPV4, 5, 0, 47), "no frame has such ports with such a protocol"),
        (flow(IPV4, IPV4, 5, 6, 1), "no frame has such ports with such a protocol"),
        (flow(IPV6, IPV6, 0, 0, 43), "no frame has such ports with such a protocol"),
    ],
    ids=["ports of gre", "two icmp ids", "extension header"],
)
def test_frames_for_refuses_keys_that_no_frame_has(key: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"key 0: {reason}"):
        frames_for(np.frombuffer(key, np.uint64).reshape(1, 5))


@pytest.mark.parametrize("length", [41, 65_550])
def test_frames_for_refuses_lengths_that_no_frame_has(length: int) -> None:
    with pytest.raises(ValueError, match=f"frame 0: length {length}, must be 42 to 65549"):
        frames_for(keys_of(np.arange(1), SRC, 1), np.array([length], np.uint32))


def test_frames_for_refuses_other_keys() -> None:
    with pytest.raises(ValueError, match=r"keys must be \(n, 2\) or \(n, 5\), not \(4, 3\)"):
        frames_for(np.zeros((4, 3), np.uint64))
