"""The twin of bpf/include/parse.h: from frames to outcomes and 5-tuples.

A frame is `captured` bytes at `offset` of one packed array, and zeros up to its `length`. Flow
keys are uint64 (5,), the little-endian words of struct flow_key.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.frames import Frames
from simulator.jit import njit, signed
from simulator.layout import EXTENSION_HEADERS, VLAN_TAGS, Key, Outcome

_IP = int(Outcome.IP)
_NOT_IP = int(Outcome.NOT_IP)
_MALFORMED = int(Outcome.MALFORMED)
_ETH_IP, _ETH_IPV6, _ETH_8021Q, _ETH_8021AD = 0x0800, 0x86DD, 0x8100, 0x88A8
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60
_ICMP, _TCP, _UDP, _ICMPV6, _SCTP = 1, 6, 17, 58, 132
FLOW_WORDS = 5


class Parsed(NamedTuple):
    """What a batch of n frames holds."""

    outcomes: NDArray[np.uint8]  # (n,) enum Outcome
    flows: NDArray[np.uint64]  # (n, 5), zero where the outcome is not IP
    lengths: NDArray[np.uint32]  # (n,) whole frame, in bytes

    def slice(self, start: int, stop: int) -> Parsed:
        """Return frames start to stop as views."""
        return Parsed(self.outcomes[start:stop], self.flows[start:stop], self.lengths[start:stop])

    def keys(self, key: Key) -> NDArray[np.uint64]:
        """Return the keys of the frames, uint64 (n, w): a source is the first words of a flow."""
        return np.ascontiguousarray(self.flows[:, : key.words])


@njit
def _byte(data: NDArray[np.uint8], start: int, captured: int, offset: int) -> int:
    return signed(data[start + offset]) if offset < captured else signed(0)


@njit
def _be16(data: NDArray[np.uint8], start: int, captured: int, offset: int) -> int:
    high = _byte(data, start, captured, offset)
    return high << 8 | _byte(data, start, captured, offset + 1)


@njit
def _word(data: NDArray[np.uint8], start: int, captured: int, offset: int, size: int) -> np.uint64:
    """Read `size` bytes as a little-endian number."""
    value = np.uint64(0)
    for i in range(size):
        byte = np.uint64(_byte(data, start, captured, offset + i))
        value |= byte << np.uint64(8 * i)
    return value


@njit
def _l4_header_size(protocol: int) -> int:
    if protocol == _TCP:
        return 20
    if protocol in (_UDP, _ICMP, _ICMPV6):
        return 8
    if protocol == _SCTP:
        return 12
    return 0


@njit
def _is_echo(protocol: int, kind: int) -> bool:
    if protocol == _ICMP:
        return kind in (0, 8)
    return kind in (128, 129)


@njit
def _ports(
    data: NDArray[np.uint8], start: int, captured: int, offset: int, end: int, protocol: int
) -> np.uint64:
    """Return sport and dport as the low 32 bits of the flow's last word."""
    need = _l4_header_size(protocol)
    if need == 0 or offset + need > end:
        return np.uint64(0)
    if protocol != _ICMP and protocol != _ICMPV6:
        return _word(data, start, captured, offset, 4)
    if _is_echo(protocol, _byte(data, start, captured, offset)):
        return _word(data, start, captured, offset + 4, 2)
    return np.uint64(0)


@njit
def _last_word(ports: np.uint64, protocol: int) -> np.uint64:
    return ports | np.uint64(protocol) << np.uint64(32)


@njit
def _mapped(address: np.uint64) -> np.uint64:
    return np.uint64(0xFFFF0000) | address << np.uint64(32)


@njit
def _parse_ipv4(
    data: NDArray[np.uint8],
    start: int,
    captured: int,
    offset: int,
    length: int,
    flow: NDArray[np.uint64],
) -> int:
    if offset + 20 > length or _byte(data, start, captured, offset) >> 4 != 4:
        return _MALFORMED
    header = (_byte(data, start, captured, offset) & 15) * 4
    if header < 20 or offset + header > length:
        return _MALFORMED
    flow[1] = _mapped(_word(data, start, captured, offset + 12, 4))
    flow[3] = _mapped(_word(data, start, captured, offset + 16, 4))
    protocol = _byte(data, start, captured, offset + 9)
    ports = np.uint64(0)
    if _be16(data, start, captured, offset + 6) & 0x1FFF == 0:
        total = _be16(data, start, captured, offset + 2)
        end = min(offset + total, length) if total >= header else length
        ports = _ports(data, start, captured, offset + header, end, protocol)
    flow[4] = _last_word(ports, protocol)
    return _IP


@njit
def _is_extension(protocol: int) -> bool:
    return protocol in (_HOP_BY_HOP, _ROUTING, _DESTINATION, _FRAGMENT)


@njit
def _parse_extensions(
    data: NDArray[np.uint8], start: int, captured: int, offset: int, end: int, protocol: int
) -> np.uint64:
    """Follow the extension headers to layer 4; returns the flow's last word."""
    followed = 0
    while _is_extension(protocol):
        need = 8 if protocol == _FRAGMENT else 2
        if followed == EXTENSION_HEADERS or offset + need > end:
            return _last_word(np.uint64(0), protocol)
        fragment = protocol == _FRAGMENT
        protocol = _byte(data, start, captured, offset)
        if fragment:
            if _be16(data, start, captured, offset + 2) & 0xFFF8:
                return _last_word(np.uint64(0), protocol)
            offset += 8
        else:
            offset += (_byte(data, start, captured, offset + 1) + 1) * 8
        followed += 1
    return _last_word(_ports(data, start, captured, offset, end, protocol), protocol)


@njit
def _parse_ipv6(
    data: NDArray[np.uint8],
    start: int,
    captured: int,
    offset: int,
    length: int,
    flow: NDArray[np.uint64],
) -> int:
    if offset + 40 > length or _byte(data, start, captured, offset) >> 4 != 6:
        return _MALFORMED
    for i in range(4):
        flow[i] = _word(data, start, captured, offset + 8 + 8 * i, 8)
    payload = _be16(data, start, captured, offset + 4)
    protocol = _byte(data, start, captured, offset + 6)
    offset += 40
    end = length if payload == 0 else min(offset + payload, length)
    flow[4] = _parse_extensions(data, start, captured, offset, end, protocol)
    return _IP


@njit
def parse_frame(
    data: NDArray[np.uint8], start: int, captured: int, length: int, flow: NDArray[np.uint64]
) -> int:
    """Read the 5-tuple of one frame into `flow` (5,); returns its Outcome."""
    for i in range(FLOW_WORDS):
        flow[i] = 0
    offset = 14
    if length < offset:
        return _NOT_IP
    kind = _be16(data, start, captured, offset - 2)
    for _ in range(VLAN_TAGS):
        if kind != _ETH_8021Q and kind != _ETH_8021AD:
            break
        offset += 4
        if length < offset:
            return _NOT_IP
        kind = _be16(data, start, captured, offset - 2)
    if kind == _ETH_IP:
        return _parse_ipv4(data, start, captured, offset, length, flow)
    if kind == _ETH_IPV6:
        return _parse_ipv6(data, start, captured, offset, length, flow)
    return _NOT_IP


@njit
def _parse_all(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    captured: NDArray[np.uint32],
    lengths: NDArray[np.uint32],
    outcomes: NDArray[np.uint8],
    flows: NDArray[np.uint64],
) -> None:
    for i in range(len(offsets)):
        outcomes[i] = parse_frame(
            data, offsets[i], signed(captured[i]), signed(lengths[i]), flows[i]
        )


def parse(frames: Frames) -> Parsed:
    """Parse a batch of frames."""
    outcomes = np.empty(len(frames), np.uint8)
    flows = np.empty((len(frames), FLOW_WORDS), np.uint64)
    _parse_all(frames.data, frames.offsets, frames.captured, frames.lengths, outcomes, flows)
    return Parsed(outcomes, flows, frames.lengths)
