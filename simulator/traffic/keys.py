"""From sender numbers to keys: distinct, random-looking, the same for the same secret."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import fmix64
from simulator.jit import njit
from simulator.layout import FLOW, Key

_U32 = np.uint64(0xFFFFFFFF)
_FIRST, _LAST = np.uint64(0x01000000), np.uint64(0xDFFFFFFF)  # 1.0.0.0 to 223.255.255.255
_LOOPBACK = np.uint64(127)
_SERVERS = np.uint64(4096)
_TCP, _UDP, _ICMP, _ICMPV6 = (np.uint64(protocol) for protocol in (6, 17, 1, 58))
MOST_SENDERS = 0x7F000000 - 0x01000000  # sender + 1.0.0.0 must be a unicast address
WORDS = FLOW.words


@njit
def _unicast(address: np.uint64) -> bool:
    return bool(_FIRST <= address <= _LAST and address >> np.uint64(24) != _LOOPBACK)


@njit
def _ipv4(sender: np.uint64, secret: np.uint64) -> np.uint64:
    """Permute the unicast addresses: a permutation of 32 bits, repeated until it lands in them."""
    address = sender + _FIRST
    odd = secret >> np.uint64(32) | np.uint64(1)
    while True:
        address = (address * odd + secret) & _U32
        address ^= address >> np.uint64(16)
        address = (address * np.uint64(0x85EBCA6B)) & _U32
        address ^= address >> np.uint64(13)
        address = (address * np.uint64(0xC2B2AE35)) & _U32
        address ^= address >> np.uint64(16)
        if _unicast(address):
            return address


@njit
def _big_endian(value: np.uint64, size: int) -> np.uint64:
    """Return the number whose little-endian bytes are `value`'s big-endian ones."""
    swapped = np.uint64(0)
    for i in range(size):
        swapped |= (value >> np.uint64(8 * i) & np.uint64(0xFF)) << np.uint64(8 * (size - 1 - i))
    return swapped


@njit
def _put_address(
    flow: NDArray[np.uint64], at: int, sender: np.uint64, secret: np.uint64, ipv6: bool
) -> None:
    if ipv6:
        flow[at + 1] = fmix64(sender ^ secret)  # a bijection: distinct senders stay distinct
        flow[at] = fmix64(flow[at + 1]) & ~np.uint64(0xFF) | np.uint64(0x2A)  # 2a00::/8
    else:
        flow[at] = np.uint64(0)
        address = _big_endian(_ipv4(sender, secret), 4)
        flow[at + 1] = np.uint64(0xFFFF0000) | address << np.uint64(32)


@njit
def _put_rest(flow: NDArray[np.uint64], at: int, mixed: np.uint64, ipv6: bool) -> None:
    """Choose ports and protocol: TCP 70 %, UDP 25 %, ICMP echo 5 %."""
    kind = mixed % np.uint64(100)
    sport = np.uint64(1024) + (mixed >> np.uint64(16)) % np.uint64(64_512)
    dport = np.uint64(443) if kind & np.uint64(3) else np.uint64(80)
    protocol = _TCP
    if kind >= np.uint64(70):
        protocol = _UDP
        dport = np.uint64(443) if kind & np.uint64(1) else np.uint64(53)
    if kind >= np.uint64(95):
        protocol = _ICMPV6 if ipv6 else _ICMP
        dport = np.uint64(0)
    ports = _big_endian(sport, 2) | _big_endian(dport, 2) << np.uint64(16)
    flow[at + 4] = ports | protocol << np.uint64(32)


@njit
def _fill(
    ids: NDArray[np.int64], secret: np.uint64, ipv6_below: np.uint64, flows: NDArray[np.uint64]
) -> None:
    for i in range(len(ids)):
        at = WORDS * i
        sender = np.uint64(ids[i])
        mixed = fmix64(sender + fmix64(secret))
        ipv6 = bool(mixed >> np.uint64(11) < ipv6_below)
        _put_address(flows, at, sender, secret, ipv6)
        _put_address(flows, at + 2, (mixed >> np.uint64(40)) % _SERVERS, ~secret, ipv6)
        _put_rest(flows, at, fmix64(mixed), ipv6)


def keys_of(
    ids: NDArray[np.int64], key: Key, secret: int, ipv6_share: float = 0.0
) -> NDArray[np.uint64]:
    """Return the keys (n, words) of senders, IPv4-mapped but for a share of IPv6 senders.

    Distinct senders get distinct keys; a source key is the start of the same sender's flow key.
    """
    if not 0 <= ipv6_share <= 1:
        raise ValueError(f"the share of IPv6 must be 0 to 1, not {ipv6_share}")
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < MOST_SENDERS:
        raise ValueError(f"sender numbers must be 0 to {MOST_SENDERS - 1:,}")
    flows = np.empty(len(ids) * WORDS, np.uint64)
    _fill(ids, np.uint64(secret), np.uint64(int(ipv6_share * 2**53)), flows)
    return np.ascontiguousarray(flows.reshape(-1, WORDS)[:, : key.words])
