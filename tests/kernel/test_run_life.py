"""The life of a run on a real interface: how it begins, what may happen, how it ends."""

from __future__ import annotations

import signal

import pytest

from lab import build, loader
from lab.attach import How, attach, interface_index
from lab.libbpf.link import query_xdp
from tests.kernel import live, namespaces
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]


def test_run_counts_what_comes(left: str, run: live.Runs) -> None:
    process = run(left, "--query", "10.0.0.7")
    live.send("right", 5, source=7)
    live.send("right", 3, source=8)
    code, records = process.end()
    assert code == 0
    found = live.summary(records)
    assert (found["packets"], found["exact"], found["sketched"]) == (8, 8, 0)
    epochs = [record for record in records if record["record"] == "epoch"]
    assert sum(epoch["queries"][0]["packets"] for epoch in epochs) == 5
    assert {count["key"] for epoch in epochs for count in epoch["top"]} == {"10.0.0.7", "10.0.0.8"}


def test_first_packet_after_the_attach_does_not_trip(left: str, run: live.Runs) -> None:
    process = run(left, ready=False)
    namespaces.wait_until(lambda: query_xdp(interface_index(left)), "it is attached")
    live.send("right", 1)
    _, records = process.end()
    assert live.summary(records)["detail"]["trips"] == 0


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_signal_ends_with_a_last_epoch(
    left: str, run: live.Runs, number: int, expected: int
) -> None:
    process = run(left, "--epoch", "600")
    live.send("right", 4)
    code, records = process.end(number)
    assert code == expected
    assert live.summary(records)["packets"] == 4
    assert [record["record"] for record in records] == ["metadata", "epoch", "summary"]
    assert live.attached(left) == []


def test_hang_up_ends_like_being_told(left: str, run: live.Runs) -> None:
    code, records = run(left).end(signal.SIGHUP)
    assert (code, live.summary(records)["ended"]) == (0, "told to end")


def test_duration_ends_with_0(left: str, run: live.Runs) -> None:
    code, records = run(left, "--duration", "0.3").ended()
    assert (code, live.summary(records)["ended"]) == (0, "its time is over")
    assert live.attached(left) == []


def test_kill_leaves_nothing_attached(left: str, run: live.Runs) -> None:
    process = run(left)
    assert len(live.attached(left)) == 1
    process.process.kill()
    process.process.wait()
    namespaces.wait_until(lambda: live.attached(left) == [], "the link is gone")


@pytest.mark.parametrize(
    ("other", "how"),
    [
        ("link native", How.AUTO),
        ("link generic", How.AUTO),
        ("native", How.AUTO),
        ("generic", How.AUTO),
        ("link native", How.GENERIC),
        ("link generic", How.NATIVE),
    ],
)
def test_occupied_interface_ends_with_5_and_stays_as_it_was(
    left: str, run: live.Runs, other: str, how: How
) -> None:
    with loader.load(build.object_path("hello")) as loaded:
        mode = How(other.removeprefix("link "))
        if other.startswith("link"):
            attach(loaded.require(), left, mode)
        else:
            flag = {"native": "xdpdrv", "generic": "xdpgeneric"}[other]
            namespaces.ip(f"link set left {flag} obj {build.object_path('hello')} sec xdp.frags")
        (number,) = live.attached(left)
        process = run(left, "--attach", how, ready=False)
        code, records = process.ended()
        assert (code, records) == (5, [])
        namespaces.wait_until(lambda: "try:" in process.said, "it says what to do")
        assert (
            f"left already runs another XDP program: program id {number} ({mode})" in process.said
        )
        assert live.attached(left) == [number]


def test_second_run_on_the_same_interface_ends_with_5(left: str, run: live.Runs) -> None:
    first = run(left)
    (number,) = live.attached(left)
    second = run(left, ready=False)
    assert second.ended() == (5, [])
    namespaces.wait_until(lambda: f"program id {number}" in second.said, "it names the first")
    live.send("right", 2)
    assert live.summary(first.end()[1])["packets"] == 2


def test_two_runs_on_two_interfaces_count_their_own(left: str, run: live.Runs) -> None:
    mine, others = run(left), run("right")
    live.send("right", 2)
    live.send("left", 3)
    assert live.summary(mine.end()[1])["packets"] == 2
    assert live.summary(others.end()[1])["packets"] == 3


def test_auto_goes_generic_and_names_it(left: str, run: live.Runs) -> None:
    namespaces.ip("link set lo up")
    process = run("lo")
    _, records = process.end()
    attach_record = records[0]["attach"]
    assert attach_record["mode"] == "generic"
    assert attach_record["fallback"].endswith("attached in generic mode, which is slower")
    assert attach_record["fallback"] in process.said


def test_native_does_not_go_generic(left: str, run: live.Runs) -> None:
    namespaces.ip("link set lo up")
    process = run("lo", "--attach", "native", ready=False)
    assert process.ended() == (3, [])
    assert live.attached("lo") == []


def test_unknown_interface_ends_with_6_and_names_the_others(left: str, run: live.Runs) -> None:
    process = run("eth7", ready=False)
    assert process.ended() == (6, [])
    namespaces.wait_until(lambda: "try: one of: lo, " in process.said, "it names the others")
    assert "error: there is no interface 'eth7' in this network namespace" in process.said


def test_unknown_namespace_ends_with_6(left: str, run: live.Runs) -> None:
    process = run(left, "--netns", "nowhere", ready=False)
    assert process.ended() == (6, [])
    namespaces.wait_until(lambda: "try:" in process.said, "it says what to do")
    assert "error: there is no network namespace 'nowhere'" in process.said


def test_deleted_interface_ends_with_6_and_a_last_epoch(left: str, run: live.Runs) -> None:
    process = run(left, "--epoch", "600")
    live.send("right", 4)
    namespaces.ip("link delete left")
    code, records = process.ended()
    assert code == 6
    found = live.summary(records)
    assert (found["packets"], found["ended"]) == (4, "the interface is gone")
    namespaces.wait_until(lambda: "error: left is gone" in process.said, "it says so")


def test_renamed_interface_is_followed(left: str, run: live.Runs) -> None:
    process = run(left)
    namespaces.ip("link set left down")
    namespaces.ip("link set left name other")
    namespaces.ip("link set other up")
    process.wait_for("left is now named other")
    live.send("right", 3)
    code, records = process.end()
    found = live.summary(records)
    assert (code, found["packets"], found["interface"]["name"]) == (0, 3, "other")
    assert found["dropped_before_xdp"] == 0  # still read, by its new name


def test_interface_that_is_moved_takes_the_program_along(left: str, run: live.Runs) -> None:
    process = run(left)
    with namespaces.peer("left") as pid:
        namespaces.inside(pid, "ip", "link", "set", "left", "up")
        process.wait_for("left moved to another network namespace; the program goes along")
        live.send("right", 3)
        process.epoch_with(packets=3)
        code, records = process.end()
    assert (code, live.summary(records)["packets"]) == (0, 3)


def test_interface_deleted_where_it_was_moved_to_ends_with_6(left: str, run: live.Runs) -> None:
    process = run(left)
    with namespaces.peer("left") as pid:
        process.wait_for("moved")
        namespaces.inside(pid, "ip", "link", "delete", "left")
        assert process.ended()[0] == 6


def test_interface_set_down_and_up_again_goes_on(left: str, run: live.Runs) -> None:
    process = run(left)
    live.send("right", 2)
    namespaces.ip("link set left down")
    process.wait_for("left is down: no packets will come")
    namespaces.ip("link set left up")
    process.wait_for("left is up again")
    wait_for_carrier("right")
    live.send("right", 3)
    found = live.summary(process.end()[1])
    assert found["packets"] == 5
    assert len(found["interface_news"]) == 2


def test_mtu_raised_while_running_lets_jumbo_frames_be_counted(left: str, run: live.Runs) -> None:
    process = run(left)
    for end in ("left", "right"):
        namespaces.ip(f"link set {end} mtu 9000")
    process.wait_for("left: MTU 1500 is now 9000")
    live.send("right", 2, size=8000)
    found = live.summary(process.end()[1])
    assert (found["packets"], found["bytes"], found["malformed"]) == (2, 16000, 0)


def wait_for_carrier(interface: str) -> None:
    namespaces.wait_until(lambda: _carrier(interface), f"{interface} has a carrier")


def _carrier(interface: str) -> bool:
    from pyroute2 import IPRoute

    with IPRoute() as route:
        return bool(route.link("get", ifname=interface)[0].get_attr("IFLA_CARRIER"))
