"""The timeline of a demo: packets, new keys, memory and accuracy over time, and the detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.evaluation.figures.svg import PALETTE, render

Row = Mapping[str, Any]
MIB = 1 << 20
WIDTH, HEIGHT = 9.0, 8.0  # inches
BLUE, ORANGE, GREEN = PALETTE[:3]
GREY = "#666666"
LOW_SHADE = "#F0E442"


def draw(document: Row) -> bytes:
    """Return the SVG of a demo's document; the same document gives the same bytes."""
    return render(lambda: _figure(document), title(document), description(document))


def _figure(document: Row) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = list(figure.subplots(4, 1, sharex=True))
    for axis, panel in zip(axes, (_packets, _new_keys, _memory, _accuracy), strict=True):
        panel(axis, document)
        _details(axis, document)
    axes[-1].set_xlabel("seconds")
    figure.suptitle(title(document))
    return figure


def title(document: Row) -> str:
    """Return the figure's title."""
    new = sum(phase["new_sources"] or 0 for phase in document["phases"])
    return f"Calm traffic, a flood of {new:,} new sources, calm again ({document['engine']})"


def description(document: Row) -> str:
    """Return what the figure shows, for those who cannot see it."""
    phases = "; ".join(
        f"{p['phase']}: {p['packets']:,} packets of {p['keys']:,} keys, "
        f"{' then '.join(p['detail'])} detail"
        for p in document["phases"]
    )
    switches = "; ".join(
        f"{s['time_s']:.2f} s to {s['detail']} detail ({s['cause']})" for s in document["switches"]
    )
    return f"Four curves over time. {phases}. Switches: {switches or 'none'}."


def _packets(axis: Any, document: Row) -> None:
    ticks = _measured(document["timeline"])
    axis.plot(*_columns(ticks, "packets_per_second"), color=BLUE, drawstyle="steps-pre")
    axis.set_ylabel("packets/s")
    _logarithmic(axis)


def _new_keys(axis: Any, document: Row) -> None:
    ticks = _measured(document["timeline"])
    threshold = document["summary"]["settings"]["threshold"]
    axis.plot(*_columns(ticks, "new_keys_per_second"), color=BLUE, drawstyle="steps-pre")
    axis.axhline(threshold, color=ORANGE, linestyle="--", linewidth=1, label="threshold")
    axis.set_ylabel("new keys/s")
    _logarithmic(axis)
    axis.legend(loc="upper right")


def _memory(axis: Any, document: Row) -> None:
    memory, epochs = document["summary"]["memory"], document["epochs"]
    needed = [epoch["baseline_hash_bytes"] / MIB for epoch in epochs]
    axis.stairs(needed, _edges(epochs), color=ORANGE, label="a hash map for the epoch's keys")
    held = {
        "all of ours: exact tables and Low Detail": (memory["total_bytes"], GREY, ":"),
        "Low Detail": (memory["low_detail_total_bytes"], BLUE, "-"),
    }
    for label, (size, color, style) in held.items():
        axis.axhline(size / MIB, color=color, linestyle=style, label=label)
    axis.set_ylabel("memory, MiB")
    axis.set_ylim(bottom=0)
    axis.legend(loc="upper right")


def _accuracy(axis: Any, document: Row) -> None:
    epochs = [epoch for epoch in document["epochs"] if epoch["accuracy"]]
    middles = [(epoch["begin_s"] + epoch["end_s"]) / 2 for epoch in epochs]
    lines = {
        "all keys (1 - ARE)": ("one_minus_are", BLUE, "o"),
        "weighted": ("weighted", GREEN, "s"),
    }
    for label, (name, color, marker) in lines.items():
        values = [100 * epoch["accuracy"][name] for epoch in epochs]
        axis.plot(middles, values, color=color, marker=marker, markersize=4, label=label)
    axis.set_ylabel("accuracy, %")
    axis.legend(loc="lower right")


# Low Detail is shaded; trips and returns are marked, and named in the uppermost panel.
def _details(axis: Any, document: Row) -> None:
    for begin, end in low_spans(document):
        axis.axvspan(begin, end, color=LOW_SHADE, alpha=0.3, linewidth=0)
    for switch in document["switches"]:
        axis.axvline(switch["time_s"], color=GREY, linewidth=1)
        if axis.get_subplotspec().is_first_row():
            text = f"{'trip' if switch['detail'] == 'low' else 'return'}: {switch['cause']}"
            place = (switch["time_s"], 0.75)
            axis.annotate(
                text, place, (3, 0), axis.get_xaxis_transform(), "offset points", va="top"
            )
    axis.grid(visible=False, axis="x")


def low_spans(document: Row) -> list[tuple[float, float]]:
    """Return when Low Detail held, in seconds."""
    spans, since = [], None
    for switch in document["switches"]:
        if switch["detail"] == "low" and since is None:
            since = switch["time_s"]
        elif switch["detail"] == "high" and since is not None:
            spans.append((since, switch["time_s"]))
            since = None
    if since is not None and document["epochs"]:
        spans.append((since, document["epochs"][-1]["end_s"]))
    return spans


def _measured(timeline: Sequence[Row]) -> list[Row]:
    return [tick for tick in timeline if tick["packets_per_second"] is not None]


def _columns(ticks: Sequence[Row], name: str) -> tuple[list[float], list[float]]:
    return [tick["time_s"] for tick in ticks], [tick[name] for tick in ticks]


def _edges(epochs: Sequence[Row]) -> list[float]:
    return [epoch["begin_s"] for epoch in epochs[:1]] + [epoch["end_s"] for epoch in epochs]


# Powers of ten above 1,000, and a 0 below it.
def _logarithmic(axis: Any) -> None:
    from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator

    top = axis.get_ylim()[1]
    axis.set_yscale("symlog", linthresh=1000)
    axis.set_ylim(bottom=0)
    powers = [10.0**n for n in range(3, 10) if 10**n <= top]
    axis.yaxis.set_major_locator(FixedLocator([0, *powers]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(EngFormatter(sep=" "))
