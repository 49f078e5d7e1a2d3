"""One-line mutants of the C: faults that the comparison with the twin must catch."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError


@dataclass(frozen=True)
class Mutant:
    """One wrong line: in `file` of bpf/, `old` becomes `new`."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant("hash-constant", "include/hash.h", "0x87c37b91114253d5", "0x87c37b91114253d7"),
    Mutant("hash-rotation", "include/hash.h", "rotl64(h1, 27)", "rotl64(h1, 26)"),
    Mutant("row-step", "include/hash.h", "(__u32)(h1 >> 32) | 1", "(__u32)(h1 >> 33) | 1"),
    Mutant("vlan-count", "include/glimpse.h", "GLIMPSE_VLAN_TAGS = 2", "GLIMPSE_VLAN_TAGS = 1"),
    Mutant(
        "extension-count",
        "include/glimpse.h",
        "GLIMPSE_EXTENSION_HEADERS = 6",
        "GLIMPSE_EXTENSION_HEADERS = 5",
    ),
    Mutant("ihl", "include/parse.h", "header < sizeof(ip)", "header < sizeof(ip) - 4"),
    Mutant(
        "fragment-offset",
        "include/parse.h",
        "IP_FRAGMENT_OFFSET  0x1fff",
        "IP_FRAGMENT_OFFSET  0x3fff",
    ),
    Mutant("total-length", "include/parse.h", "total >= header", "total > header"),
    Mutant("icmp-echo", "include/parse.h", "type == ICMP_ECHO ||", "type == 13 ||"),
    Mutant("saturation", "include/light.h", "target > GLIMPSE_COUNTER_MAX", "target >= 255"),
    Mutant("conservative", "include/light.h", "if (*counter < target)", "if (target)"),
    Mutant(
        "eviction",
        "include/sketch.h",
        "(share.target > heavy_estimate(bucket, victim))",
        "(share.target >= heavy_estimate(bucket, victim))",
    ),
    Mutant(
        "light-share",
        "include/sketch.h",
        "bucket->light[victim] = newcomer;",
        "bucket->light[victim] = newcomer > 0;",
    ),
    Mutant(
        "evicted-count",
        "include/sketch.h",
        "share->target = heavy_estimate(bucket, victim);",
        "share->target = bucket->packets[victim];",
    ),
    Mutant(
        "lowered-cell",
        "include/sketch.h",
        "if (share.target > share.place.estimate)",
        "if (share.target)",
    ),
    Mutant("floor", "include/sketch.h", "bucket->floor = smallest;", ""),
    Mutant("fingerprint", "include/light.h", "hash.h2 & 0xffff", "hash.h1 & 0xffff"),
    Mutant("emptier-group", "include/light.h", "other < group", "other <= group"),
    Mutant("free-cell", "include/light.h", "used << 16 | 1", "used << 16 | !used"),
    Mutant(
        "carrying-count",
        "include/light.h",
        "count < GLIMPSE_CELL_PLAIN",
        "count <= GLIMPSE_CELL_PLAIN",
    ),
    Mutant("carry", "include/light.h", "target - GLIMPSE_CARRY * carried", "target - 7 * carried"),
    Mutant(
        "others-carries",
        "include/light.h",
        "rows_estimate(tfm, bits) > carried",
        "rows_estimate(tfm, bits) >= carried",
    ),
    Mutant("new-keys", "include/light.h", "if (!place->estimate)", "if (!place->cell)"),
    Mutant("trip", "include/exact.h", ">= state->budget", "> state->budget"),
    Mutant("stale-order", "include/exact.h", "|| detail >> 8 != state->trip >> 8", ""),
    Mutant(
        "epoch-buffer", "glimpse.bpf.c", "epoch & 1 ? count_exact", "!(epoch & 1) ? count_exact"
    ),
    Mutant("other-bytes", "glimpse.bpf.c", "sketch->other_bytes += bytes;", ""),
)


def plant(mutant: Mutant, sources: Path, into: Path) -> Path:
    """Copy bpf/ to `into` with one line changed; returns the copy of glimpse.bpf.c."""
    copy = into / mutant.name
    shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("build", "lessons"))
    path = copy / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise LabError(
            f"mutant {mutant.name}: {mutant.file} holds {mutant.old!r} "
            f"{text.count(mutant.old)} times, not once",
            try_=f"follow the change of {mutant.file} in lab/fuzz/mutants.py",
        )
    path.write_text(text.replace(mutant.old, mutant.new))
    return copy / "glimpse.bpf.c"
