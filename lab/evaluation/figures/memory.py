"""Kernel memory against the number of keys: hash maps grow, the TFM does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab import memory
from lab.evaluation.budgets import REFERENCES, budget_of
from lab.evaluation.figures import Tables
from lab.evaluation.figures.svg import look, render
from simulator import geometry
from simulator.layout import KEYS

TITLE = "Memory against the number of keys"
COUNTS = [10**3, 10**4, 10**5, 10**6]
CPUS = (1, 2, 16, 64)
LOW_DETAIL = 1 << 20  # bytes: what `lab run` allocates by default
EXACT_ENTRIES = 16384


def rows(tables: Tables) -> list[dict[str, Any]]:
    """Return bytes per structure, key, number of CPUs and of keys, by the kernel's own formula."""
    return [row for key in KEYS for cpus in CPUS for n in COUNTS for row in _of(key, cpus, n)]


def _of(key: str, cpus: int, count: int) -> list[dict[str, Any]]:
    shape = geometry.for_memory(LOW_DETAIL, KEYS[key], cpus)
    exact = memory.exact_bytes(EXACT_ENTRIES, KEYS[key])
    sizes = {name: budget_of(name, count, key, cpus) for name in REFERENCES}
    sizes["low_detail"] = shape.low_detail_bytes
    sizes["low_detail_and_exact_tables"] = shape.low_detail_bytes + exact
    return [
        {"structure": name, "key": key, "cpus": cpus, "keys": count, "bytes": size}
        for name, size in sizes.items()
    ]


def draw(points: Sequence[dict[str, Any]]) -> bytes:
    """Return the SVG."""
    description = (
        "Bytes of each structure for 1,000 to 1,000,000 source keys on two CPUs, both axes "
        "logarithmic. Hash maps grow with the keys; Low Detail stays at 1 MiB."
    )
    return render(lambda: _figure(points), TITLE, description)


def _figure(points: Sequence[dict[str, Any]]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axis = figure.subplots()
    shown = [p for p in points if (p["key"], p["cpus"]) == ("src", 2)]
    for number, name in enumerate(dict.fromkeys(p["structure"] for p in shown)):
        mine = [p for p in shown if p["structure"] == name]
        sizes = [p["bytes"] / (1 << 20) for p in mine]
        axis.plot([p["keys"] for p in mine], sizes, label=name.replace("_", " "), **look(number))
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("keys")
    axis.set_ylabel("MiB")
    axis.legend()
    figure.suptitle(f"{TITLE} (key src, 2 CPUs)")
    return figure
