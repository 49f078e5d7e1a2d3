"""What the testbed can be asked without privileges."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from lab import testbed
from lab.errors import EnvironmentProblem, PermissionProblem
from lab.testbed import namespaces, player
from lab.testbed.generator import header_sum
from lab.testbed.signals import noted, postponed
from lab.testbed.statistics import InterfaceStatistics, Statistics
from simulator.frames import Frames
from simulator.layout import SRC
from simulator.traffic import frames_for, keys_of


def test_missing_privilege_is_said_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []

    def denied(_: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(namespaces, "sweep", lambda: None)
    monkeypatch.setattr(namespaces, "create", denied)
    monkeypatch.setattr(namespaces, "remove", removed.append)
    with (
        pytest.raises(PermissionProblem, match="CAP_SYS_ADMIN and CAP_NET_ADMIN") as refused,
        testbed.Testbed(),
    ):
        pass
    assert refused.value.try_ == "run it with sudo"
    assert [name[-2:] for name in removed] == ["tx"]


def test_kernel_without_namespaces_is_an_environment_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unsupported(_: str) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(namespaces, "sweep", lambda: None)
    monkeypatch.setattr(namespaces, "create", unsupported)
    monkeypatch.setattr(namespaces, "remove", lambda _: None)
    with (
        pytest.raises(EnvironmentProblem, match=r"the testbed cannot be made: .*Invalid argument"),
        testbed.Testbed(),
    ):
        pass


def test_missing_tcpreplay_is_an_environment_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EnvironmentProblem, match="tcpreplay is not installed") as missing:
        player.find_tcpreplay()
    assert "apt-get install tcpreplay" in (missing.value.try_ or "")


def test_names_say_whose_they_are_and_differ() -> None:
    first, second = namespaces.new_names("tx"), namespaces.new_names("tx")
    assert first != second
    assert all(name.startswith("glimpse-") and name.endswith("-tx") for name in first + second)


def test_signals_are_postponed_to_the_end_of_the_block() -> None:
    came: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: came.append("handled"))
    try:
        with postponed():
            signal.raise_signal(signal.SIGTERM)
            came.append("block ended")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == ["block ended", "handled"]


def test_noted_signals_are_not_acted_on() -> None:
    handler = signal.getsignal(signal.SIGINT)
    with noted() as held:
        signal.raise_signal(signal.SIGINT)
    assert held == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is handler


def test_packets_lost_on_either_side_count_as_dropped() -> None:
    before = Statistics(InterfaceStatistics(tx_dropped=1), InterfaceStatistics(lost=10))
    after = Statistics(InterfaceStatistics(tx_dropped=4), InterfaceStatistics(lost=12))
    assert (after - before).dropped == 5


def test_header_sum_leaves_source_and_checksum_out() -> None:
    frames = frames_for(keys_of(np.arange(2), SRC, 1))
    assert header_sum(frames.frame(0)) == header_sum(frames.frame(1))


def test_generator_takes_plain_ipv4_frames_only() -> None:
    with pytest.raises(ValueError, match="IPv4 without options"):
        header_sum(bytes(60))


def test_frames_that_no_link_takes_are_not_sendable() -> None:
    frames = Frames.from_bytes([bytes(13), bytes(14), bytes(1514), bytes(1515)])
    assert player.sendable(frames, 1500).tolist() == [False, True, True, False]
