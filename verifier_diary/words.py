"""Say in words what a register holds."""

from __future__ import annotations

import re

from verifier_diary.ranges import S32_MAX, S32_MIN, S64_MAX, S64_MIN, U64_MAX, Range
from verifier_diary.registers import Value

_KINDS = {
    "ctx": "the context",
    "map_ptr": "a map",
    "map_value": "a pointer into a map value",
    "map_key": "a pointer to a map key",
    "fp": "a stack pointer",
    "pkt": "a packet pointer",
    "pkt_meta": "a pointer to packet metadata",
    "pkt_end": "the packet's end",
    "flow_keys": "a pointer to flow keys",
    "sock": "a socket",
    "sock_common": "a socket",
    "tcp_sock": "a TCP socket",
    "xdp_sock": "an XDP socket",
    "mem": "a pointer to memory",
    "buf": "a pointer to a buffer",
    "tp_buffer": "a pointer to a tracepoint buffer",
    "arena": "an arena pointer",
    "func": "a function",
    "dynptr_ptr": "a dynptr",
    "dynptr_local": "a dynptr",
    "dynptr_ringbuf": "a dynptr",
    "dynptr_skb": "a dynptr",
    "dynptr_xdp": "a dynptr",
}
_QUALIFIERS = ("rdonly", "ringbuf", "alloc", "user", "percpu", "rcu", "untrusted", "trusted")


def describe(value: Value | None) -> str:
    """Return a phrase such as `a number from 0 to 65535` or `a packet pointer, 14 bytes known`."""
    if value is None:
        return "unknown to the log"
    if value.bytes:
        return _slot(value.bytes)
    if value.raw:
        return value.raw
    if value.is_scalar:
        return number(value)
    return pointer(value)


def number(value: Value) -> str:
    """Describe a number by its bounds."""
    if value.constant is not None:
        return f"the number {value.constant}"
    if value.kind == "unknown" or value.range.is_unknown:
        return "a number that may be anything"
    if value.range.low == value.range.high:
        return f"the number {value.range.low}"
    return f"a number {between(value.range)}{_lower_half(value.range)}"


# A 32-bit comparison bounds the lower half only.
def _lower_half(bounds: Range) -> str:
    known = (bounds.smin32, bounds.smax32) != (S32_MIN, S32_MAX)
    if not known or (bounds.high is not None and bounds.high <= bounds.smax32):
        return ""
    return f" (as a signed 32-bit number from {bounds.smin32} to {bounds.smax32})"


def between(bounds: Range) -> str:
    """Return `from 0 to 255`, or the half that is known."""
    low, high = bounds.low, bounds.high
    if high is not None and low > S64_MIN:
        return f"from {low} to {high}"
    if high is not None:
        return f"of at most {high}, without a lower bound"
    if low > 0 or (low == 0 and bounds.smax == S64_MAX and bounds.smin == 0):
        return f"of at least {low}, without an upper bound"
    if low > S64_MIN:
        return f"of at least {low}, without an upper bound"
    return _low_bits(bounds)


def _low_bits(bounds: Range) -> str:
    value, mask = bounds.var_off
    if mask == U64_MAX:
        return "that may be anything" if bounds.umin == 0 else f"of at least {bounds.umin} unsigned"
    return f"with the bits {value:#x} set and {mask:#x} open"


def span(bounds: Range) -> str:
    """Return `0..255`, with `?` where there is no bound."""
    low = "?" if bounds.low == S64_MIN else str(bounds.low)
    high = "?" if bounds.high is None else str(bounds.high)
    return low if low == high != "?" else f"{low}..{high}"


def pointer(value: Value) -> str:
    """Describe a pointer: its kind, whether it may be NULL, its offset, what lies behind it."""
    details = [text for text in (_name(value), _offset(value), _extent(value)) if text]
    phrase = ", ".join([_kind(value) + _size(value), *details])
    return f"{phrase}, or NULL" if value.may_be_null else phrase


def _kind(value: Value) -> str:
    words = [q for q in _QUALIFIERS if re.search(rf"(?:^|_){q}_", value.kind)]
    quality = f" ({', '.join(words)})" if words else ""
    if value.base == "ptr":
        struct = value.kind.partition("ptr_")[2].removeprefix("or_null_")
        return f"a pointer to {f'struct {struct}' if struct else 'a kernel object'}{quality}"
    return _KINDS.get(value.base, value.base or "nothing") + quality


def _name(value: Value) -> str:
    name = value.attribute("map")
    return f"map {name}" if name else ""


# The offset printed after fp is whole, the others are `off` and a variable part.
def _offset(value: Value) -> str:
    if value.kind == "fp":
        return f"fp{value.number}" if value.number not in ("", "0") else "fp"
    fixed, bounds = value.integer("off") or 0, value.range
    if bounds.umin == bounds.umax:
        return f"offset {fixed + bounds.smin}" if fixed + bounds.smin else ""
    return f"offset {offsets(value)}"


def offsets(value: Value) -> str:
    """Return where a pointer may point, from the start of its object: `14..269`."""
    fixed, bounds = value.integer("off") or 0, value.range
    low = "?" if bounds.low == S64_MIN else str(bounds.low + fixed)
    high = "?" if bounds.high is None else str(bounds.high + fixed)
    return low if low == high != "?" else f"{low}..{high}"


def _extent(value: Value) -> str:
    if value.base in ("pkt", "pkt_meta"):
        known = value.integer("r", "range") or 0
        return f"{known} bytes known" if known > 0 else "no byte known"
    return ""


def _size(value: Value) -> str:
    size = value.integer("vs", "sz", "mem_size")
    return "" if size is None or value.kind == "map_ptr" else f" of {size} bytes"


def _slot(marks: str) -> str:
    names = {"?": "never written", "m": "data", "0": "zeros", "r": "a saved register"}
    kinds = list(dict.fromkeys(names.get(mark, "special bytes") for mark in reversed(marks)))
    return f"8 stack bytes: {', '.join(kinds)}"
