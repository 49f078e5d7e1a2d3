"""Real packets on a veth pair: the native attach, jumbo frames, the trip and the epoch swap."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lab.libbpf import probe
from lab.libbpf.link import Mode, NativeUnsupported, attach_xdp, query_xdp
from lab.matrix.guest import veth
from lab.matrix.guest.datapath import ACTIVE, BUDGET, DETAIL, SPENT, TRIP, GuestDatapath
from lab.matrix.guest.testing import Outcome

HIGH, BUDGET_SPENT = 0, 1  # enum glimpse_detail, enum glimpse_cause
# Words of struct tfm_header.
_SEEN, _SEEN_BYTES, _EXACT, _EXACT_BYTES, _SKETCHED, _SKETCHED_BYTES = range(1, 7)
_NOT_IP, _MALFORMED, _OTHER_BYTES = range(7, 10)
_SOURCES, _ROUNDS, _OTHERS = 40, 5, 10
_JUMBO_MTU, _JUMBO = 9000, 8014
_GRANTED = 10


def attach(folder: Path, test: dict[str, Any]) -> Outcome:
    """Attach natively, send known frames, and compare every key's packets and bytes."""
    outcome = Outcome()
    frames = [veth.udp_frame(s, 60 + 7 * s) for _ in range(_ROUNDS) for s in range(_SOURCES)]
    with veth.pair(), _attached(folder, test, outcome) as path:
        path.control[BUDGET] = 1 << 40
        veth.send([*[veth.other_frame()] * _OTHERS, *frames])
        _wait_for(path, len(frames))
        retired = path.swap_epoch()
    wanted = {veth.source_key(s): (_ROUNDS, _ROUNDS * (60 + 7 * s)) for s in range(_SOURCES)}
    _compare_exact(outcome, retired.keys, retired.records, wanted)
    _check_ledger(outcome, retired.tfms)
    outcome.expect("others are counted too", _sum(retired.tfms, _NOT_IP) >= _OTHERS, True)
    outcome.packets += len(frames)
    return outcome


def jumbo(folder: Path, test: dict[str, Any]) -> Outcome:
    """Attach at MTU 9000: with frags a jumbo frame is counted whole, without it is refused."""
    frags = probe.xdp_frags()
    outcome = Outcome(facts={"frags": frags})
    with veth.pair(_JUMBO_MTU), ExitStack() as stack:
        try:
            path = stack.enter_context(_attached(folder, test, outcome))
        except NativeUnsupported as refused:
            outcome.facts["refused"] = str(refused)
            outcome.expect("a program with frags attaches at MTU 9000", not frags, True)
            outcome.packets, outcome.bytes = 1, 1
            return outcome
        outcome.expect("a program without frags is refused at MTU 9000", frags, True)
        path.control[BUDGET] = 1 << 40
        veth.send([veth.udp_frame(1, _JUMBO)])
        _wait_for(path, 1)
        retired = path.swap_epoch()
    _compare_exact(outcome, retired.keys, retired.records, {veth.source_key(1): (1, _JUMBO)})
    outcome.packets += 1
    return outcome


def trip(folder: Path, test: dict[str, Any]) -> Outcome:
    """Spend the budget on the wire, see the kernel's own trip, swap, return to High Detail."""
    outcome = Outcome()
    frames = [veth.udp_frame(s, 100) for s in range(_SOURCES)]
    with veth.pair(), _attached(folder, test, outcome) as path:
        path.control[BUDGET] = _GRANTED
        veth.send(frames)
        _wait_for(path, len(frames))
        outcome.expect("the trip word", int(path.control[TRIP]), 1 << 8 | BUDGET_SPENT)
        outcome.expect("the budget spent", int(path.control[SPENT]), _GRANTED + 1)
        first = path.swap_epoch()
        path.control[BUDGET] = _GRANTED + 1 + _SOURCES
        path.control[DETAIL] = 1 << 8 | HIGH  # names the trip that it knows of
        veth.send(frames)
        _wait_for(path, len(frames))
        second = path.swap_epoch()
    counts = {veth.source_key(s): (1, 100) for s in range(_SOURCES)}
    granted = dict(list(counts.items())[:_GRANTED])
    for retired, wanted in ((first, granted), (second, counts)):
        _compare_exact(outcome, retired.keys, retired.records, wanted)
        _check_ledger(outcome, retired.tfms)
        outcome.expect(
            "the epoch's sketched packets", _sum(retired.tfms, _SKETCHED), _SOURCES - len(wanted)
        )
        outcome.packets += len(frames)
    return outcome


@contextmanager
def _attached(folder: Path, test: dict[str, Any], outcome: Outcome) -> Iterator[GuestDatapath]:
    with ExitStack() as stack:
        stack.enter_context(_on_one_cpu())
        heads = np.array(test["heads"], np.uint64)
        path = GuestDatapath(folder, test, stack, heads, live=True)
        ifindex = socket.if_nametoindex(veth.RECEIVER)
        stack.enter_context(attach_xdp(path.program, ifindex, Mode.NATIVE))
        modes = [attached.mode for attached in query_xdp(ifindex)]
        outcome.facts["modes"] = modes
        outcome.expect("the attached modes", modes, [str(Mode.NATIVE)])
        yield path


# Several senders' CPUs would race for the budget, and the numbers would not be exact.
@contextmanager
def _on_one_cpu() -> Iterator[None]:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


# Only IP is waited for: a frame that the kernel itself sent is none of ours.
def _wait_for(path: GuestDatapath, packets: int) -> None:
    side = path.side(int(path.control[ACTIVE]))
    veth.wait_until(
        lambda: _sum(side, _EXACT) + _sum(side, _SKETCHED) >= packets, f"{packets} packets came"
    )


def _sum(tfms: Any, word: int) -> int:
    return int(np.ascontiguousarray(tfms).view(np.uint64)[:, word].sum())


def _compare_exact(
    outcome: Outcome, keys: Any, records: Any, wanted: dict[bytes, tuple[int, int]]
) -> None:
    found = {k.tobytes(): (int(r[0]), int(r[1])) for k, r in zip(keys, records, strict=True)}
    outcome.bytes += sum(len(key) + 16 for key in wanted)
    for key in found.keys() | wanted.keys():
        if found.get(key) != wanted.get(key):
            outcome.differ(f"key {key.hex()}: {found.get(key)}, not {wanted.get(key)}")


# Nothing else speaks here, but a kernel that does so shows in the ledger, not in the keys.
def _check_ledger(outcome: Outcome, tfms: Any) -> None:
    seen, seen_bytes = _sum(tfms, _SEEN), _sum(tfms, _SEEN_BYTES)
    parts = [_sum(tfms, word) for word in (_EXACT, _SKETCHED, _NOT_IP, _MALFORMED)]
    sizes = [_sum(tfms, word) for word in (_EXACT_BYTES, _SKETCHED_BYTES, _OTHER_BYTES)]
    outcome.expect("the ledger's difference", seen - sum(parts), 0)
    outcome.expect("the ledger's difference in bytes", seen_bytes - sum(sizes), 0)
