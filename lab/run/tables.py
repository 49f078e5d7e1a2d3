"""The run for people, when it is over: a table per question."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from lab.output import Format, Report, write
from lab.run.records import SCHEMA

Row = Mapping[str, Any]


def print_tables(summary: Row, epoch: Row | None) -> None:
    """Print the summary, and the top keys of the last epoch that had any."""
    for title, rows in tables(summary, epoch):
        if rows:
            sys.stdout.write(f"\n{title}\n\n")
            write(Report(SCHEMA, rows), Format.TABLE)


def tables(summary: Row, epoch: Row | None) -> Iterator[tuple[str, list[Row]]]:
    """Yield titles and rows."""
    yield "Packets", [_packets(summary)]
    yield "The run", [_run(summary)]
    if epoch:
        yield f"Top of epoch {epoch['epoch']}", [_count(count) for count in epoch["top"]]
        yield f"Asked for, in epoch {epoch['epoch']}", [_count(c) for c in epoch["queries"]]
    yield "Switches", [_switch(summary, switch) for switch in summary["switches"]]
    yield "The interface", [{"news": news} for news in summary["interface_news"]]


def _packets(summary: Row) -> Row:
    return {
        "seen": summary["packets"],
        "exact": summary["exact"],
        "sketched": summary["sketched"],
        "not IP": summary["not_ip"],
        "malformed": summary["malformed"],
        "difference": summary["ledger_difference"],
        "dropped before XDP": summary["dropped_before_xdp"],
    }


def _run(summary: Row) -> Row:
    share = summary["user_cpu_share"]
    return {
        "seconds": round(summary["seconds"], 1),
        "epochs": summary["epochs"]["count"],
        "low": summary["epochs"]["low"],
        "trips": summary["detail"]["trips"],
        "returns": summary["detail"]["returns"],
        "user CPU": None if share is None else f"{100 * share:.1f} %",
        "read, ms": summary["epoch_read_ms"]["median"],
        "grace, ms": summary["grace_ms"]["median"],
        "ended": summary["ended"],
    }


def _count(count: Row) -> Row:
    sure = {
        "exact": "exact",
        "saturated": "at least, saturated",
        "estimate": f"estimate +0 -{count['packets'] - count['lower']:,}",
    }
    return {"key": count["key"], "packets": count["packets"], "sure": sure[count["kind"]]}


def _switch(summary: Row, switch: Row) -> Row:
    at = (switch["time_ns"] - summary["start_ns"]) / 1e9
    values = ", ".join(f"{name} {value:,.4g}" for name, value in switch["values"].items())
    return {
        "at": f"{at:.3f} s",
        "to": f"{switch['detail']} detail",
        "cause": switch["cause"],
        "values": values.replace("_", " "),
    }
