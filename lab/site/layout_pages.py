"""The map layout, out of the dtypes that a test compares with the programs' BTF."""

from __future__ import annotations

import numpy as np

from simulator import layout

HEAD = """# Map layout

What user space reads through mmap, byte for byte. `bpf/include/glimpse.h` is the contract; a test
compares this with the BTF of the compiled programs. All numbers are little-endian but ports, which
are in network order.

| map | type | value |
|---|---|---|
| `control` | array, 1 entry, mmapable | control |
| `tfm` | array, 2 x instances entries, mmapable | header, then heavy part, then light part |
| `exact_0`, `exact_1` | hash | exact record; the table of even and of odd epochs |

The entry of an epoch and an instance in `tfm` is `epoch % 2 * instances + instance`.
"""


def pages() -> dict[str, str]:
    """Return the page."""
    records = {
        "control": layout.CONTROL,
        "header of a TFM": layout.HEADER,
        "exact record": layout.EXACT_RECORD,
        "record of the baseline": layout.BASELINE_RECORD,
        "key `src`": layout.SRC_KEY,
        "key `flow`": layout.FLOW_KEY,
        **{f"heavy bucket of key `{k.name}`": k.bucket for k in layout.KEYS.values()},
    }
    parts = [_record(name, dtype) for name, dtype in records.items()]
    return {"reference/map-layout.md": "\n".join([HEAD, *parts])}


def _record(name: str, dtype: np.dtype[np.void]) -> str:
    assert dtype.fields is not None
    rows = []
    for field, (kind, offset, *_) in dtype.fields.items():
        base, shape = kind.subdtype or (kind, ())
        count = f" x {shape[0]}" if shape else ""
        rows.append(f"| {offset} | `{field}` | {_kind(base)}{count} |")
    table = "\n".join(["| offset | field | type |", "|---|---|---|", *rows])
    return f"## {name[0].upper()}{name[1:]}\n\n{dtype.itemsize} bytes.\n\n{table}\n"


def _kind(dtype: np.dtype[np.generic]) -> str:
    if dtype.fields:
        return f"key of {dtype.itemsize} bytes"
    order = ", network order" if dtype.byteorder == ">" else ""
    return f"u{8 * dtype.itemsize}{order}"
