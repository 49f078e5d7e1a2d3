"""The twin of bpf/include/glimpse.h: enums, limits, NumPy dtypes and the geometry of a TFM.

A test compares every dtype with the BTF of the compiled objects, so this file and the header
cannot drift apart. All numbers are little-endian, as on every machine the project supports.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

VLAN_TAGS = 2
EXTENSION_HEADERS = 6
SLOTS = 8
MAX_ROWS = 8
COUNTER_MAX = 255
CELL_COUNT_BITS = 5
CELL_MAX = 31
FINGERPRINTS = 2047
CARRY = 8
CELL_PLAIN = 24
HASH_WORDS = 33


class Outcome(IntEnum):
    """What the parser made of a frame."""

    IP = 0
    NOT_IP = 1
    MALFORMED = 2


class Detail(IntEnum):
    """The two levels of telemetry."""

    HIGH = 0
    LOW = 1


class Setting(IntEnum):
    """What the person asked for."""

    AUTO = 0
    HIGH = 1
    LOW = 2


class Cause(IntEnum):
    """Why the kernel tripped to Low Detail."""

    NONE = 0
    BUDGET = 1
    TABLE_FULL = 2


class Hash(IntEnum):
    """The hash families."""

    MURMUR3 = 0
    JHASH = 1
    PMS = 2


class Verdict(IntEnum):
    """The values of enum xdp_action that the data path returns."""

    DROP = 1
    PASS = 2


SRC_KEY = np.dtype([("address", "u1", 16)])
FLOW_KEY = np.dtype(
    [
        ("source", "u1", 16),
        ("destination", "u1", 16),
        ("sport", ">u2"),
        ("dport", ">u2"),
        ("protocol", "u1"),
        ("zero", "u1", 3),
    ]
)
EXACT_RECORD = np.dtype([(n, "<u8") for n in ("packets", "bytes", "first_ns", "last_ns")])
BASELINE_RECORD = np.dtype([("packets", "<u8"), ("bytes", "<u8")])
CONTROL = np.dtype(
    [(n, "<u8") for n in ("detail", "budget", "active", "clock", "instance")]
    + [("reserved", "<u8", 3)]
    + [(n, "<u8") for n in ("trip", "trip_ns", "spent")]
    + [("unused", "<u8", 5)]
)
CONFIG = np.dtype(
    [
        (n, "<u4")
        for n in (
            "setting",
            "verdict",
            "hash",
            "instances",
            "buckets",
            "rows",
            "width",
            "groups",
        )
    ]
)
HEADER_FIELDS = (
    "epoch",
    "seen",
    "seen_bytes",
    "exact",
    "exact_bytes",
    "sketched",
    "sketched_bytes",
    "not_ip",
    "malformed",
    "other_bytes",
    "light_packets",
    "light_bytes",
    "new_keys",
    "saturated",
    "evictions",
)
HEADER = np.dtype([(n, "<u8") for n in HEADER_FIELDS] + [("hash_key", "<u8", HASH_WORDS)])
TOTALS = np.dtype(
    [(n, "<u8") for n in ("seen", "seen_bytes", "counted", "refused", "not_ip", "malformed")]
)


def bucket_dtype(key: np.dtype[np.void]) -> np.dtype[np.void]:
    """Return the dtype of a heavy bucket of `key`s."""
    return np.dtype(
        [
            ("keys", key, SLOTS),
            ("bytes", "<u8", SLOTS),
            ("packets", "<u4", SLOTS),
            ("light", "<u2", SLOTS),
            ("floor", "<u4"),
            ("zero", "<u4"),
        ]
    )


@dataclass(frozen=True)
class Key:
    """What is counted: its name, its dtype, and its length in 64-bit words."""

    name: str
    dtype: np.dtype[np.void]

    @property
    def words(self) -> int:
        """Return the length in 64-bit words."""
        return self.dtype.itemsize // 8

    @property
    def bucket(self) -> np.dtype[np.void]:
        """Return the dtype of a heavy bucket."""
        return bucket_dtype(self.dtype)


SRC = Key("src", SRC_KEY)
FLOW = Key("flow", FLOW_KEY)
KEYS = {key.name: key for key in (SRC, FLOW)}
