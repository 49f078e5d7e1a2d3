"""The first and the last record of a run: what it was to do, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lab.libbpf.link import Link
from lab.memory import exact_bytes
from lab.replay.record import switch_record
from lab.run.chronicle import Chronicle
from lab.run.live_datapath import LiveDatapath
from lab.run.loop import Ending, Loop
from lab.run.records import SCHEMA
from lab.run.settings import RunSettings
from lab.run.totals import ledger_record
from lab.run.watch import Interface
from simulator.policy import SECOND_NS


def metadata(
    settings: RunSettings, datapath: LiveDatapath, link: Link, fallback: str | None
) -> dict[str, Any]:
    """Return what is known when a run begins."""
    path, policy = datapath.settings, settings.policy
    shape = path.geometry
    return {
        "schema": SCHEMA,
        "record": "metadata",
        "interface": settings.interface,
        "network_namespace": settings.namespace,
        "attach": {
            "asked": str(settings.how),
            "mode": str(link.mode),
            "fallback": fallback,
            "program_id": link.program_id(),
        },
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "key": shape.key.name,
        "detail_setting": settings.policy.setting.name.lower(),
        "verdict": settings.verdict.name.lower(),
        "policy": policy.as_row(),
        "geometry": {
            "instances": shape.instances,
            "buckets": shape.buckets,
            "rows": shape.rows,
            "width": shape.width,
            "tfm_value_bytes": shape.value_size,
        },
        "memory": {
            "exact_bytes": exact_bytes(path.exact_entries, shape.key),
            "low_detail_total_bytes": shape.low_detail_bytes,
            "maps": datapath.memlock(),
        },
    }


def summary(
    settings: RunSettings,
    loop: Loop,
    ending: Ending,
    interface: Interface,
    news: Iterable[str],
    records_dropped: int,
) -> dict[str, Any]:
    """Return what came of a run."""
    chronicle, totals = loop.chronicle, loop.chronicle.totals
    drops = chronicle.dropped
    return {
        "record": "summary",
        "ended": ending.value,
        "seconds": loop.seconds,
        "start_ns": chronicle.start_ns,
        **ledger_record(totals.ledger),
        "detail": _detail(settings, chronicle),
        "switches": [switch_record(switch) for switch in chronicle.switches],
        "epochs": {"count": totals.epochs, "low": totals.low_epochs, "lost": totals.lost_epochs},
        "saturated": totals.saturated,
        "dropped_before_xdp": drops.before_xdp,
        "interface_rx_dropped": drops.rx_dropped,
        "interface": {"name": interface.name, "present": interface.present},
        "interface_news": list(news),
        "records_dropped": records_dropped,
        "user_cpu_share": loop.cpu_share(),
        "epoch_read_ms": totals.epoch_read_ms(),
        "epoch_read_cpu_ms": totals.epoch_read_cpu_ms(),
        "grace_ms": totals.grace_ms(),
        "longest_gap_ms": loop.longest_gap_ns * 1000 / SECOND_NS,
    }


def _detail(settings: RunSettings, chronicle: Chronicle) -> dict[str, Any]:
    ledger = chronicle.totals.ledger
    return {
        "setting": settings.policy.setting.name.lower(),
        "now": chronicle.detail.name.lower(),
        "high_packets": ledger.exact,
        "low_packets": ledger.sketched,
        "trips": chronicle.trips,
        "returns": chronicle.returns,
    }
