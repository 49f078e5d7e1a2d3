"""Check simulator/layout.py, the NumPy twin of glimpse.h, against the BTF that clang made of it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from simulator import layout

if TYPE_CHECKING:
    from lab.libbpf.btf import Btf

STRUCTS: dict[str, np.dtype[np.void]] = {
    "src_key": layout.SRC_KEY,
    "flow_key": layout.FLOW_KEY,
    "exact_record": layout.EXACT_RECORD,
    "baseline_record": layout.BASELINE_RECORD,
    "glimpse_control": layout.CONTROL,
    "glimpse_config": layout.CONFIG,
    "tfm_header": layout.HEADER,
    "src_bucket": layout.SRC.bucket,
    "flow_bucket": layout.FLOW.bucket,
    "packet_totals": layout.TOTALS,
}
ENUMS: dict[str, tuple[str, type[IntEnum]]] = {
    "glimpse_outcome": ("GLIMPSE_", layout.Outcome),
    "glimpse_detail": ("GLIMPSE_", layout.Detail),
    "glimpse_setting": ("GLIMPSE_SETTING_", layout.Setting),
    "glimpse_cause": ("GLIMPSE_CAUSE_", layout.Cause),
    "glimpse_hash": ("GLIMPSE_HASH_", layout.Hash),
}
LIMITS = {
    "GLIMPSE_VLAN_TAGS": layout.VLAN_TAGS,
    "GLIMPSE_EXTENSION_HEADERS": layout.EXTENSION_HEADERS,
    "GLIMPSE_SLOTS": layout.SLOTS,
    "GLIMPSE_MAX_ROWS": layout.MAX_ROWS,
    "GLIMPSE_COUNTER_MAX": layout.COUNTER_MAX,
    "GLIMPSE_CELL_COUNT_BITS": layout.CELL_COUNT_BITS,
    "GLIMPSE_CELL_MAX": layout.CELL_MAX,
    "GLIMPSE_FINGERPRINTS": layout.FINGERPRINTS,
    "GLIMPSE_CARRY": layout.CARRY,
    "GLIMPSE_CELL_PLAIN": layout.CELL_PLAIN,
    "GLIMPSE_HASH_WORDS": layout.HASH_WORDS,
}


def probe_source() -> str:
    """Return a C file whose BTF has every type of the contract: a variable of each."""
    structs = "\n".join(f"struct {name} a_{name};" for name in STRUCTS)
    enums = "\n".join(f"enum {name} a_{name};" for name in (*ENUMS, "glimpse_limits"))
    return f'#include "glimpse.h"\n{structs}\n{enums}\n'


def differences(btf: Btf) -> Iterator[str]:
    """Yield what differs between the header and its twin."""
    for name, dtype in STRUCTS.items():
        yield from _struct(btf, name, dtype)
    for name, (prefix, twin) in ENUMS.items():
        mine = {prefix + member.name: int(member) for member in twin}
        if mine != btf.enum(name):
            yield f"enum {name}: {btf.enum(name)} in C, {mine} in Python"
    if btf.enum("glimpse_limits") != LIMITS:
        yield f"enum glimpse_limits: {btf.enum('glimpse_limits')} in C, {LIMITS} in Python"


def _struct(btf: Btf, name: str, dtype: np.dtype[np.void]) -> Iterator[str]:
    found = btf.struct(name)
    if found.size != dtype.itemsize:
        yield f"struct {name}: {found.size} bytes in C, {dtype.itemsize} in Python"
    mine = {n: (field[1], field[0].itemsize) for n, field in (dtype.fields or {}).items()}
    theirs = {m.name: (m.offset // 8, btf.size_of(m.type)) for m in found.members}
    if mine != theirs:
        wrong = sorted(set(mine.items()) ^ set(theirs.items()))
        yield f"struct {name}: (offset, size) differ: {wrong}"
