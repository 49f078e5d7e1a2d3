"""Accuracy against memory, for every sketch and the plain hash map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab.evaluation.figures import Tables
from lab.evaluation.figures.svg import look, render

WORKLOAD, KEY = "caida-2016", "src"
MEASURES = {"one_minus_are": "all keys (1 - ARE)", "weighted": "weighted by packets"}
TITLE = "Accuracy against memory"


def rows(tables: Tables) -> list[dict[str, Any]]:
    """Return the points: sketch, share of the hash map's memory, and both accuracies."""
    return [
        {name: row[name] for name in ("workload", "key", "sketch", "share", "seeds", *MEASURES)}
        for row in tables.get("accuracy-summary", ())
        if (row["workload"], row["key"]) == (WORKLOAD, KEY)
        and (row["reference"], row["instances"], row["steering"]) == ("hash", 2, "steered")
    ]


def draw(points: Sequence[dict[str, Any]]) -> bytes:
    """Return the SVG."""
    best = max(points, key=lambda p: (p["share"] <= 0.1, p["one_minus_are"] or 0))
    description = (
        f"Two panels over the share of the hash map's memory, {WORKLOAD}, key {KEY}, two CPUs and "
        f"two epoch buffers counted. Best over all keys at a tenth or less: {best['sketch']}, "
        f"{best['one_minus_are']:.3f}."
    )
    return render(lambda: _figure(points), TITLE, description)


def _figure(points: Sequence[dict[str, Any]]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.5), layout="constrained")
    for axis, (measure, label) in zip(figure.subplots(1, 2), MEASURES.items(), strict=True):
        for number, sketch in enumerate(dict.fromkeys(p["sketch"] for p in points)):
            mine = sorted((p for p in points if p["sketch"] == sketch), key=lambda p: p["share"])
            values = [max(0.0, 100 * (p[measure] or 0.0)) for p in mine]
            axis.plot([100 * p["share"] for p in mine], values, label=sketch, **look(number))
        axis.set_xscale("log")
        axis.set_xticks([2.5, 5, 10, 20, 100], ["2.5", "5", "10", "20", "100"])
        axis.set_xlabel("memory, % of the hash map's")
        axis.set_ylabel(f"accuracy, %: {label}")
        axis.set_ylim(0, 102)
    figure.axes[1].legend(loc="lower right", fontsize=7)
    figure.suptitle(f"{TITLE}: {WORKLOAD}, key {KEY}")
    return figure
