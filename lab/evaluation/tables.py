"""The tidy tables of a run: one row per task, CSV for people and diffs, Parquet for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
GROUP = ("workload", "key", "sketch", "share", "reference", "instances", "steering")
# What a summary gives the mean, and the worst and best seed of.
MEASURES = (
    "one_minus_are",
    "weighted",
    "heavy_hitter_f1",
    "top100_are",
    "top1000_are",
    "within_5_percent",
    "aae",
    "wmre",
    "entropy_error",
    "cardinality_error",
)


def write(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """Write NAME.csv and NAME.parquet; the same rows give the same CSV."""
    import polars

    frame = polars.DataFrame([dict(row) for row in rows], infer_schema_length=None)
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_csv(folder / f"{name}.csv", float_precision=6)
    frame.write_parquet(folder / f"{name}.parquet")


def write_csv(path: Path, rows: Sequence[Row], origin: str) -> None:
    """Write rows below a comment line that says where they come from."""
    import polars

    path.parent.mkdir(parents=True, exist_ok=True)
    frame = polars.DataFrame([dict(row) for row in rows], infer_schema_length=None)
    text = frame.write_csv(float_precision=6)
    path.write_text(f"# {origin}\n{text}", "utf-8")


def write_environment(folder: Path, record: Mapping[str, Any]) -> None:
    """Write environment.json: where and how the tables beside it were measured."""
    text = json.dumps(record, indent=2, sort_keys=True) + "\n"
    (folder / "environment.json").write_text(text, "utf-8")


def summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return one row per point: seeds, mean of each measure, and its range over the seeds."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in GROUP), []).append(row)
    return [
        dict(zip(GROUP, point, strict=True)) | _summary(members)
        for point, members in groups.items()
    ]


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "seeds": len(rows),
        "keys": round(sum(row["keys"] for row in rows) / len(rows)),
        "budget_bytes": round(sum(row["budget_bytes"] for row in rows) / len(rows)),
    }
    for name in MEASURES:
        values = [row[name] for row in rows if row[name] is not None]
        summary[name] = sum(values) / len(values) if values else None
        summary[f"{name}_low"] = min(values, default=None)
        summary[f"{name}_high"] = max(values, default=None)
    return summary
