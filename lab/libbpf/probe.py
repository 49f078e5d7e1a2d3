"""Ask the kernel what it can do, by trying; versions are never compared."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache

from lab.errors import UsageError_
from lab.libbpf import maps
from lab.libbpf._ffi import binding, captured_messages, close

_XDP = 6  # enum bpf_prog_type
_HASH, _ARRAY = 1, 2  # enum bpf_map_type
_BPF_XDP = 37  # enum bpf_attach_type
_XDP_HAS_FRAGS = 1 << 5  # BPF_F_XDP_HAS_FRAGS
# r0 = 2 (XDP_PASS); exit
_PASS = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)

HELPERS = {  # of XDP programs; numbers of enum bpf_func_id
    "bpf_ktime_get_ns": 5,
    "bpf_loop": 181,
    "bpf_xdp_get_buff_len": 188,
    "bpf_xdp_load_bytes": 189,
}


@cache
def helper(name: str) -> bool:
    """Say whether XDP programs may call a helper of `HELPERS`."""
    return _yes(binding().lib.libbpf_probe_bpf_helper, _XDP, HELPERS[name])


@cache
def xdp() -> bool:
    """Say whether XDP programs load at all."""
    return _load(0)


@cache
def xdp_frags() -> bool:
    """Say whether an XDP program may declare that it can handle frames of several fragments."""
    return _load(_XDP_HAS_FRAGS)


@cache
def batch() -> bool:
    """Say whether hash maps can be read in batches."""
    with _small_map(_HASH) as small:
        return maps.has_batches(small)


@cache
def mmapable() -> bool:
    """Say whether arrays can be mapped into memory."""
    try:
        with _small_map(_ARRAY, maps.BPF_F_MMAPABLE) as small:
            small.memory()
    except OSError:
        return False
    return True


@cache
def memlock_exact() -> bool:
    """Say whether `memlock` counts a hash map's elements (it did not before Linux 6.3)."""
    entries, element = 4096, 48 + 8 + 8
    with maps.create(_HASH, "probe", key_size=4, value_size=8, max_entries=entries) as preallocated:
        return (preallocated.memlock() or 0) >= entries * element


FEATURES: dict[str, Callable[[], bool]] = {
    "xdp": xdp,
    "xdp_frags": xdp_frags,
    "batch": batch,
    "mmapable": mmapable,
    "memlock_exact": memlock_exact,
}


def feature(name: str) -> bool:
    """Probe one of `FEATURES`, or a helper by its name; without privilege nothing is there."""
    if name in HELPERS:
        return helper(name)
    if name not in FEATURES:
        known = ", ".join([*FEATURES, *HELPERS])
        raise UsageError_(f"there is no probe for {name!r}", try_=f"one of: {known}")
    try:
        return FEATURES[name]()
    except OSError:
        return False


def _small_map(kind: int, flags: int = 0) -> maps.Map:
    return maps.create(kind, "probe", key_size=4, value_size=8, max_entries=1, flags=flags)


def _yes(probe: Callable[..., int], *arguments: int) -> bool:
    with captured_messages():
        return probe(*arguments, binding().ffi.NULL) == 1


def _load(flags: int) -> bool:
    b = binding()
    options = b.ffi.new("struct prog_load_opts *")
    options.sz = b.ffi.sizeof("struct prog_load_opts")
    options.expected_attach_type, options.prog_flags = _BPF_XDP, flags
    with captured_messages():
        fd = b.lib.bpf_prog_load(_XDP, b"probe", b"GPL", _PASS, len(_PASS) // 8, options)
    close(fd)
    return bool(fd >= 0)
