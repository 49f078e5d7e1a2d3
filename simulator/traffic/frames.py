"""From keys to valid Ethernet frames, of which only the headers take memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.frames import Frames
from simulator.jit import njit, signed
from simulator.layout import FLOW, SRC

WORDS = FLOW.words
SHORTEST_FRAME = 60  # Ethernet without its check sequence
_ETHERNET, _IPV4, _IPV6 = 14, 20, 40
_HOP_BY_HOP, _ICMP, _TCP, _UDP, _ROUTING, _FRAGMENT = 0, 1, 6, 17, 43, 44
_ICMPV6, _DESTINATION, _SCTP = 58, 60, 132
_LONGEST = 65_535 + _ETHERNET
_MAPPED = np.uint64(0xFFFF0000)
# Where packets go that only have a source: the networks for benchmarks, RFC 2544 and RFC 5180.
_SINK_IPV4 = np.frombuffer(bytes.fromhex("00000000000000000000ffffc6120001"), np.uint64)
_SINK_IPV6 = np.frombuffer(bytes.fromhex("20010200000000000000000000000001"), np.uint64)
_SINK_PORTS = np.frombuffer(bytes.fromhex("c000000911000000"), np.uint64)[0]  # 49152, discard


@njit
def _is_ipv4(flows: NDArray[np.uint64], at: int) -> bool:
    for i in (at, at + 2):
        if flows[i] != 0 or flows[i + 1] & np.uint64(0xFFFFFFFF) != _MAPPED:
            return False
    return True


@njit
def _field(flows: NDArray[np.uint64], at: int, first: int, size: int) -> int:
    """Return `size` bytes of a flow key's last word as a big-endian number."""
    value = 0
    for i in range(first, first + size):
        value = value << 8 | signed(flows[at + 4] >> np.uint64(8 * i) & np.uint64(0xFF))
    return value


@njit
def _l4_bytes(protocol: int) -> int:
    if protocol == _TCP:
        return 20
    if protocol == _SCTP:
        return 12
    return 8 if protocol in (_UDP, _ICMP, _ICMPV6) else 0


@njit
def _header_bytes(flows: NDArray[np.uint64], at: int) -> int:
    """Return the bytes of all headers, or -1 where no frame has such a flow key."""
    protocol, ipv4 = _field(flows, at, 4, 1), _is_ipv4(flows, at)
    sport, dport = _field(flows, at, 0, 2), _field(flows, at, 2, 2)
    l4 = _l4_bytes(protocol)
    echo = protocol in (_ICMP, _ICMPV6)
    if (l4 == 0 and sport != 0) or ((l4 == 0 or echo) and dport != 0):
        return -1
    if not ipv4 and protocol in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION):
        return -1
    return _ETHERNET + (_IPV4 if ipv4 else _IPV6) + l4


@njit
def _put_u16(data: NDArray[np.uint8], at: int, value: int) -> None:
    data[at] = value >> 8
    data[at + 1] = value & 0xFF


@njit
def _put_address(
    data: NDArray[np.uint8], at: int, flows: NDArray[np.uint64], word: int, first: int
) -> None:
    """Write an address of two words, from its byte `first` on."""
    for i in range(first, 16):
        value = flows[word + i // 8] >> np.uint64(8 * (i % 8))
        data[at + i - first] = value & np.uint64(0xFF)


@njit
def _put_ipv4(
    data: NDArray[np.uint8], at: int, flows: NDArray[np.uint64], key: int, size: int
) -> None:
    data[at] = 0x45
    _put_u16(data, at + 2, size)
    data[at + 8] = 64  # time to live
    data[at + 9] = _field(flows, key, 4, 1)
    _put_address(data, at + 12, flows, key, 12)
    _put_address(data, at + 16, flows, key + 2, 12)
    total = 0
    for i in range(at, at + _IPV4, 2):
        total += signed(data[i]) << 8 | signed(data[i + 1])
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    _put_u16(data, at + 10, ~total & 0xFFFF)


@njit
def _put_ipv6(
    data: NDArray[np.uint8], at: int, flows: NDArray[np.uint64], key: int, size: int
) -> None:
    data[at] = 0x60
    _put_u16(data, at + 4, size - _IPV6)
    data[at + 6] = _field(flows, key, 4, 1)
    data[at + 7] = 64  # hop limit
    _put_address(data, at + 8, flows, key, 0)
    _put_address(data, at + 24, flows, key + 2, 0)


@njit
def _put_l4(
    data: NDArray[np.uint8], at: int, flows: NDArray[np.uint64], key: int, size: int
) -> None:
    protocol = _field(flows, key, 4, 1)
    sport = _field(flows, key, 0, 2)
    if protocol in (_ICMP, _ICMPV6):
        data[at] = 8 if protocol == _ICMP else 128  # echo request
        _put_u16(data, at + 4, sport)
        return
    if _l4_bytes(protocol) == 0:
        return
    _put_u16(data, at, sport)
    _put_u16(data, at + 2, _field(flows, key, 2, 2))
    if protocol == _TCP:
        data[at + 12] = 5 << 4  # header of 5 words
        data[at + 13] = 0x10  # ACK
    elif protocol == _UDP:
        _put_u16(data, at + 4, size)


@njit
def _sizes(flows: NDArray[np.uint64], sizes: NDArray[np.int64]) -> None:
    for i in range(len(sizes)):
        sizes[i] = _header_bytes(flows, i * WORDS)


@njit
def _write(
    flows: NDArray[np.uint64],
    lengths: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
) -> None:
    """Write the headers of every frame into zeroed data."""
    for i in range(len(offsets)):
        key, at, size = i * WORDS, signed(offsets[i]), signed(lengths[i]) - _ETHERNET
        data[at] = data[at + 6] = 0x02  # locally administered, 02::1 and 02::2
        data[at + 5], data[at + 11] = 1, 2
        ip = at + _ETHERNET
        if _is_ipv4(flows, key):
            _put_u16(data, at + 12, 0x0800)
            _put_ipv4(data, ip, flows, key, size)
            _put_l4(data, ip + _IPV4, flows, key, size - _IPV4)
        else:
            _put_u16(data, at + 12, 0x86DD)
            _put_ipv6(data, ip, flows, key, size)
            _put_l4(data, ip + _IPV6, flows, key, size - _IPV6)


def frames_for(
    keys: NDArray[np.uint64],
    lengths: NDArray[np.uint32] | None = None,
    times_ns: NDArray[np.uint64] | None = None,
) -> Frames:
    """Build a frame for each key, uint64 (n, 2) sources or (n, 5) flows; the payload is zero.

    IP lengths and IPv4 checksums are right, those of layer 4 are 0. Without lengths the frames are
    as short as they can be. Sources send UDP to an address for benchmarks.
    """
    flows = _as_flows(keys)
    sizes = np.empty(len(keys), np.int64)
    _sizes(flows, sizes)
    if (sizes < 0).any():
        i = int((sizes < 0).argmax())
        raise ValueError(f"key {i}: no frame has such ports with such a protocol")
    whole = np.maximum(sizes, SHORTEST_FRAME).astype(np.uint32) if lengths is None else lengths
    if ((whole < sizes) | (whole > _LONGEST)).any():
        i = int(((whole < sizes) | (whole > _LONGEST)).argmax())
        raise ValueError(f"frame {i}: length {whole[i]}, must be {sizes[i]} to {_LONGEST}")
    offsets = np.cumsum(sizes) - sizes
    data = np.zeros(int(sizes.sum()), np.uint8)
    _write(flows, whole, offsets, data)
    times = np.zeros(len(keys), np.uint64) if times_ns is None else times_ns
    return Frames(data, offsets, sizes.astype(np.uint32), whole, times)


def _as_flows(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return flat flow keys; sources get a destination, ports and UDP."""
    if keys.ndim != 2 or keys.shape[1] not in (SRC.words, FLOW.words):
        raise ValueError(f"keys must be (n, {SRC.words}) or (n, {FLOW.words}), not {keys.shape}")
    if keys.shape[1] == FLOW.words:
        return np.ascontiguousarray(keys).reshape(-1)
    flows = np.empty((len(keys), FLOW.words), np.uint64)
    flows[:, :2] = keys
    ipv4 = (keys[:, 0] == 0) & (keys[:, 1] & np.uint64(0xFFFFFFFF) == _MAPPED)
    flows[:, 2:4] = np.where(ipv4[:, None], _SINK_IPV4, _SINK_IPV6)
    flows[:, 4] = _SINK_PORTS
    return flows.reshape(-1)
