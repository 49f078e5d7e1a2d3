"""Many odd frames out of a few good ones, fast enough to fuzz with millions."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulator.frames import Frames
from simulator.hashing import fmix64
from simulator.jit import njit, signed

_SHORTEST = 14  # test_run refuses less
_LONGEST = 9014
_REACH = 128  # bytes that mutations touch, so they are in memory whatever a template has
_FLIPPED = 80
_TYPES = (0x0800, 0x86DD, 0x8100, 0x88A8, 0x9100, 0x0806, 0x8847, 0x8864, 0x0000, 0xFFFF)
_PROTOCOLS = (0, 1, 2, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132, 135, 139, 254, 255)
_SIZES = (0, 1, 7, 8, 19, 20, 21, 28, 40, 48, 60, 255, 256, 1500, 0x7FFF, 0xFFFF)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # step of SplitMix64, Steele et al., 2014


@njit
def _draw(state: NDArray[np.uint64], below: int) -> int:
    """Return the next pseudo-random number below a limit (SplitMix64)."""
    state[0] += _GOLDEN
    return signed((fmix64(state[0]) >> np.uint64(32)) * np.uint64(below) >> np.uint64(32))


@njit
def _put_u16(data: NDArray[np.uint8], at: int, value: int) -> None:
    data[at] = value >> 8
    data[at + 1] = value & 0xFF


@njit
def _ip_offset(data: NDArray[np.uint8], at: int) -> int:
    """Return where the network header begins, after up to three tags."""
    offset = 14
    for _ in range(3):
        kind = signed(data[at + offset - 2]) << 8 | signed(data[at + offset - 1])
        if kind != 0x8100 and kind != 0x88A8:
            break
        offset += 4
    return offset


@njit
def _is_ipv6(data: NDArray[np.uint8], ip: int) -> bool:
    return bool(data[ip] >> 4 == 6)


@njit
def _splice_protocol(data: NDArray[np.uint8], ip: int, state: NDArray[np.uint64]) -> None:
    """Change a protocol or next-header field, perhaps of one of the first extension headers."""
    at = ip + 9
    if _is_ipv6(data, ip):
        depth = _draw(state, 5)
        at = ip + 6 if depth == 0 else ip + 40 + 8 * (depth - 1)
    data[at] = _PROTOCOLS[_draw(state, len(_PROTOCOLS))]


@njit
def _splice_size(data: NDArray[np.uint8], ip: int, state: NDArray[np.uint64]) -> None:
    """Change the total length, payload length, or the length of an extension header."""
    size = _SIZES[_draw(state, len(_SIZES))] if _draw(state, 2) else _draw(state, 1 << 16)
    if not _is_ipv6(data, ip):
        _put_u16(data, ip + 2, size)
    elif _draw(state, 2):
        _put_u16(data, ip + 4, size)
    else:
        data[ip + 41 + 8 * _draw(state, 4)] = size & 0xFF


@njit
def _splice_fragment(data: NDArray[np.uint8], ip: int, state: NDArray[np.uint64]) -> None:
    at = ip + 6
    if _is_ipv6(data, ip):
        at = ip + 42 + 8 * _draw(state, 4)
    value = _draw(state, 1 << 16) if _draw(state, 2) else 1 << _draw(state, 16)
    _put_u16(data, at, value)


@njit
def _splice(data: NDArray[np.uint8], at: int, kind: int, state: NDArray[np.uint64]) -> None:
    """Put a plausible value into a field that the parser decides by."""
    ip = at + _ip_offset(data, at)
    if kind == 0:
        place = at + 12 + 4 * _draw(state, 3)
        _put_u16(data, place, _TYPES[_draw(state, len(_TYPES))])
    elif kind == 1:
        _splice_protocol(data, ip, state)
    elif kind == 2:
        data[ip] = 0x40 | _draw(state, 16) if _draw(state, 4) else _draw(state, 256)
    elif kind == 3:
        _splice_size(data, ip, state)
    else:
        _splice_fragment(data, ip, state)


@njit
def _mutate_frame(data: NDArray[np.uint8], at: int, length: int, state: NDArray[np.uint64]) -> int:
    """Change one frame in one way; returns its new length."""
    kind = _draw(state, 9)
    if kind == 0:
        for _ in range(1 + _draw(state, 8)):
            bit = _draw(state, 8 * _FLIPPED)
            data[at + bit // 8] ^= np.uint8(1 << (bit % 8))
    elif kind == 1:
        data[at + _draw(state, _REACH)] = _draw(state, 256)
    elif kind == 2 and length > _SHORTEST:
        cut = length if _draw(state, 4) == 0 else min(length, _REACH)
        return _SHORTEST + _draw(state, cut - _SHORTEST + 1)
    elif kind == 3 and length < _LONGEST:
        most = _LONGEST if _draw(state, 8) == 0 else min(_LONGEST, length + 64)
        return length + _draw(state, most - length + 1)
    else:
        _splice(data, at, _draw(state, 5), state)
    return length


@njit
def _mutate_all(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    captured: NDArray[np.uint32],
    lengths: NDArray[np.uint32],
    seeds: NDArray[np.uint64],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int64],
    out_captured: NDArray[np.uint32],
    out_lengths: NDArray[np.uint32],
) -> None:
    """Copy each frame into zeroed room of its own, and change it one to four times."""
    for i in range(len(offsets)):
        at, length = out_offsets[i], signed(lengths[i])
        for j in range(signed(captured[i])):
            out[at + j] = data[offsets[i] + j]
        state = seeds[i : i + 1]
        for _ in range(1 + _draw(state, 4)):
            length = _mutate_frame(out, at, length, state)
        out_captured[i] = min(length, signed(out_captured[i]))
        out_lengths[i] = length


def mutate(templates: Frames, count: int, rng: Generator) -> Frames:
    """Return `count` mutants of random templates: each changed in one to four ways.

    Flipped bits, random bytes, cuts, growth, and values that a parser decides by, put where it
    looks for them. No frame is shorter than 14 bytes; times are 0.
    """
    chosen = templates.take(rng.integers(0, len(templates), count))
    room = np.maximum(chosen.captured, _REACH)
    sizes = room.astype(np.int64)
    offsets = np.cumsum(sizes) - sizes
    data = np.zeros(int(sizes.sum()), np.uint8)
    lengths = np.empty(count, np.uint32)
    _mutate_all(
        chosen.data,
        chosen.offsets,
        chosen.captured,
        chosen.lengths,
        rng.integers(0, 2**64, count, np.uint64),
        data,
        offsets,
        room,
        lengths,
    )
    return Frames(data, offsets, room, lengths, np.zeros(count, np.uint64))


def random_frames(count: int, rng: Generator) -> Frames:
    """Return frames of random bytes and lengths, three quarters after an EtherType that parses."""
    lengths = np.where(
        rng.random(count) < 0.9, rng.integers(14, 129, count), rng.integers(14, 9015, count)
    ).astype(np.uint32)
    data = rng.integers(0, 256, (count, _REACH), np.uint8)
    types = np.array([0x0800, 0x86DD, 0x8100], ">u2")[rng.integers(0, 3, count)]
    parses = rng.random(count) < 0.75
    data[parses, 12:14] = types[parses].view(np.uint8).reshape(-1, 2)
    # Random versions are nearly always wrong.
    right = parses & (rng.random(count) < 0.75)
    version = np.where(types == 0x0800, 0x40, 0x60).astype(np.uint8)
    data[right, 14] = version[right] | data[right, 14] & 0x0F
    return Frames(
        data.reshape(-1),
        np.arange(count, dtype=np.int64) * _REACH,
        np.minimum(lengths, _REACH).astype(np.uint32),
        lengths,
        np.zeros(count, np.uint64),
    )
