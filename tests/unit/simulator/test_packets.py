from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from simulator.frames import Frames
from simulator.layout import Outcome
from simulator.packets import (
    CRAFTERS,
    Crafted,
    Expected,
    catalogue,
    dissect,
    frames_of,
    mutate,
    random_frames,
)
from simulator.packets.catalogue import CUT
from simulator.parsing import parse


@pytest.fixture(scope="module")
def crafted() -> list[Crafted]:
    return catalogue(1)


@pytest.fixture(scope="module")
def templates(crafted: list[Crafted]) -> Frames:
    return frames_of(crafted)


def named(crafted: list[Crafted], name: str) -> Expected:
    (one,) = (c for c in crafted if c.name == name)
    assert one.expected is not None
    return one.expected


def test_the_parser_agrees_with_scapy_on_the_whole_catalogue(
    crafted: list[Crafted], templates: Frames
) -> None:
    parsed = parse(templates)
    differences, compared = [], Counter[Outcome]()
    for one, outcome, flow in zip(crafted, parsed.outcomes, parsed.flows, strict=True):
        if one.expected is None:
            continue
        compared[one.expected.outcome] += 1
        wrong = outcome != one.expected.outcome
        if wrong or (outcome == Outcome.IP and flow.tobytes() != one.expected.flow_key):
            differences.append((one.name, one.expected, int(outcome), flow.tobytes().hex()))
    assert differences == []
    assert min(compared[outcome] for outcome in Outcome) > 50


def test_names_in_the_catalogue_are_unique(crafted: list[Crafted]) -> None:
    assert [name for name, n in Counter(c.name for c in crafted).items() if n > 1] == []


@pytest.mark.parametrize("crafter", CRAFTERS, ids=lambda crafter: crafter.__name__)
def test_every_crafter_makes_frames(crafter) -> None:
    assert len(list(crafter(np.random.default_rng(2)))) >= 6


def test_the_catalogue_is_the_same_for_the_same_seed(crafted: list[Crafted]) -> None:
    assert catalogue(1) == crafted
    assert catalogue(2) != crafted


def test_nearly_all_that_is_not_noise_has_an_expectation(crafted: list[Crafted]) -> None:
    unknown = [c.name for c in crafted if c.expected is None and not c.name.startswith("random")]
    assert len(unknown) < 10


def test_cut_frames_end_at_every_offset_from_14_on(crafted: list[Crafted]) -> None:
    sizes = {c.name: len(c.frame) for c in crafted}
    for name in CUT:
        cuts = [size for other, size in sizes.items() if other.startswith(f"{name}, cut at ")]
        assert cuts == list(range(14, sizes[name]))


def test_frames_of_keeps_every_byte(crafted: list[Crafted], templates: Frames) -> None:
    assert all(templates.frame(i) == one.frame for i, one in enumerate(crafted))


@pytest.mark.parametrize(
    ("name", "outcome", "ports", "protocol"),
    [
        ("ipv4 udp", Outcome.IP, True, 17),
        ("ipv6 sctp", Outcome.IP, True, 132),
        ("ipv4 icmp echo", Outcome.IP, True, 1),
        ("ipv4 icmp unreachable", Outcome.IP, False, 1),
        ("ipv4 in gre", Outcome.IP, False, 47),
        ("ipv6 in ipv4", Outcome.IP, False, 41),
        ("ipv4 protocol 51", Outcome.IP, False, 51),
        ("tags ad q, ipv4", Outcome.IP, True, 17),
        ("tags q q q, ipv4", Outcome.NOT_IP, False, 0),
        ("mpls", Outcome.NOT_IP, False, 0),
        ("802.3", Outcome.NOT_IP, False, 0),
        ("ipv4 ihl 4", Outcome.MALFORMED, False, 0),
        ("ipv4 ihl 15", Outcome.IP, True, 17),
        ("ipv4 ihl 15, header cut", Outcome.MALFORMED, False, 0),
        ("ipv4 version 5", Outcome.MALFORMED, False, 0),
        ("ipv4 udp, total length 0", Outcome.IP, True, 17),
        ("ipv4 udp, total length 27", Outcome.IP, False, 17),
        ("ipv4 tcp, total length 39", Outcome.IP, False, 6),
        ("ipv4 tcp, total length 1500", Outcome.IP, True, 6),
        ("ipv4 fragment offset 0, more 1", Outcome.IP, True, 6),
        ("ipv4 fragment offset 1, more 0", Outcome.IP, False, 6),
        ("ipv6 fragment offset 0, more 1", Outcome.IP, True, 6),
        ("ipv6 fragment offset 8191, more 0", Outcome.IP, False, 6),
        ("ipv6 6 mixed headers, udp", Outcome.IP, True, 17),
        ("ipv6 7 routing headers, udp", Outcome.IP, False, 43),
        ("ipv6 udp, payload length 0", Outcome.IP, True, 17),
        ("ipv6 6 longest destination headers", Outcome.IP, True, 17),
        ("ipv6 destination header of 2048 bytes in 16", Outcome.IP, False, 17),
        ("ipv4 udp of 9014 bytes", Outcome.IP, True, 17),
    ],
)
def test_expectations_are_what_the_design_says(
    crafted: list[Crafted], name: str, outcome: Outcome, ports: bool, protocol: int
) -> None:
    expected = named(crafted, name)
    assert (expected.outcome, bool(expected.sport), expected.protocol) == (outcome, ports, protocol)


def test_a_header_cut_one_byte_short_loses_its_ports(crafted: list[Crafted]) -> None:
    assert named(crafted, "ipv4 sctp, cut at 45").sport == 0
    assert named(crafted, "ipv4 icmp echo, cut at 41").sport == 0
    assert named(crafted, "ipv6 tcp, cut at 73").sport == 0
    assert named(crafted, "ipv6 tcp, cut at 53").outcome == Outcome.MALFORMED


def test_dissect_reads_addresses_and_echo_identifiers() -> None:
    frame = bytes.fromhex(
        "02000000000202000000000108004500001c000100004001000001020304050607080800f7ff1234abcd"
    )
    assert dissect(frame) == Expected(
        Outcome.IP,
        bytes(10) + b"\xff\xff\x01\x02\x03\x04",
        bytes(10) + b"\xff\xff\x05\x06\x07\x08",
        0x1234,
        0,
        1,
    )


def test_dissect_calls_a_runt_not_ip() -> None:
    assert dissect(bytes(13)) == Expected(Outcome.NOT_IP)


def test_flow_key_is_the_struct() -> None:
    key = Expected(Outcome.IP, b"s" * 16, b"d" * 16, 0x0102, 0x0304, 6).flow_key
    assert key == b"s" * 16 + b"d" * 16 + bytes((1, 2, 3, 4, 6, 0, 0, 0))


def test_mutate_changes_most_frames(templates: Frames) -> None:
    mutants = mutate(templates, 20_000, np.random.default_rng(3))
    known = {templates.frame(i) for i in range(len(templates))}
    changed = [mutants.frame(i) not in known for i in range(len(mutants))]
    assert np.mean(changed) > 0.8  # some cuts make another template


def test_mutate_reaches_every_outcome_and_both_ip_versions(templates: Frames) -> None:
    parsed = parse(mutate(templates, 20_000, np.random.default_rng(3)))
    shares = np.bincount(parsed.outcomes, minlength=3) / 20_000
    assert shares.min() > 0.1
    protocols = parsed.flows[parsed.outcomes == Outcome.IP, 4] >> np.uint64(32)
    assert len(np.unique(protocols)) > 100


def test_mutate_is_the_same_for_the_same_seed(templates: Frames) -> None:
    one, same = (mutate(templates, 500, np.random.default_rng(4)) for _ in range(2))
    assert all(one.frame(i) == same.frame(i) for i in range(500))


def test_mutate_leaves_its_templates_alone(templates: Frames) -> None:
    before = templates.data.copy()
    mutate(templates, 5_000, np.random.default_rng(5))
    assert np.array_equal(templates.data, before)


@pytest.mark.parametrize("kind", ["mutate", "random"])
def test_no_frame_is_too_short_for_test_run(templates: Frames, kind: str) -> None:
    rng = np.random.default_rng(6)
    frames = mutate(templates, 50_000, rng) if kind == "mutate" else random_frames(50_000, rng)
    assert frames.lengths.min() == 14
    assert np.all(frames.captured <= frames.lengths)
    assert np.all(frames.offsets[1:] >= frames.offsets[:-1] + frames.captured[:-1])
    assert frames.offsets[-1] + frames.captured[-1] <= len(frames.data)


def test_random_frames_often_get_past_the_ethertype() -> None:
    outcomes = parse(random_frames(20_000, np.random.default_rng(7))).outcomes
    assert (np.bincount(outcomes, minlength=3) / 20_000).min() > 0.1
