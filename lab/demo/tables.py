"""The report for people: a table per question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.sizes import format_size

Row = Mapping[str, Any]


def tables(document: Row) -> Iterator[tuple[str, list[Row]]]:
    """Yield titles and rows."""
    yield (
        "Packets offered, dropped by the link before XDP, and seen",
        [_traffic(phase) for phase in document["phases"]],
    )
    yield "Accuracy against truth, mean over epochs", [_accuracy(p) for p in document["phases"]]
    yield "Memory", [_memory(phase) for phase in document["phases"]]
    yield "Switches", [_switch(switch) for switch in document["switches"]]
    yield "Checks", [_check(check) for check in document["checks"]]


# Narrow enough for a terminal of 80 columns.
def _traffic(phase: Row) -> Row:
    rate = phase["offered_per_second"]
    return {
        "phase": phase["phase"],
        "offered": phase["offered"],
        "per second": round(rate) if rate else None,
        "dropped": phase["dropped"],
        "seen": phase["packets"],
        "keys": phase["keys"],
        "detail": " -> ".join(phase["detail"]),
    }


def _accuracy(phase: Row) -> Row:
    found = phase["accuracy"]
    return {
        "phase": phase["phase"],
        "all keys (1 - ARE)": _percent(found["one_minus_are"]),
        "weighted by packets": _percent(found["weighted"]),
        "error of the top 100": _percent(found["top100_are"]),
        "error of the number of keys": _percent(found["cardinality_error"]),
    }


def _memory(phase: Row) -> Row:
    memory = phase["memory"]
    return {
        "phase": phase["phase"],
        "exact tables": _size(memory["exact_bytes"]),
        "Low Detail (TFM)": _size(memory["low_detail_total_bytes"]),
        "a hash map for these keys": _size(memory["baseline_hash_bytes"]),
        "TFM / hash map": _percent(memory["ratio"]),
    }


def _switch(switch: Row) -> Row:
    values = ", ".join(f"{name} {value:,.0f}" for name, value in switch["values"].items())
    return {
        "at": f"{switch['time_s']:.3f} s",
        "to": f"{switch['detail']} detail",
        "cause": switch["cause"],
        "values": values.replace("_", " "),
    }


def _check(check: Row) -> Row:
    state = {True: "ok", False: "fail", None: "-"}[check["passed"]]
    return {"check": check["check"], "state": state, "found": check["found"]}


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"


def _size(size: int) -> str:
    return format_size(size)
