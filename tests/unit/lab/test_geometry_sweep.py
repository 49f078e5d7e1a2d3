"""The sweep over geometries: every division once, and the measured default among them."""

from __future__ import annotations

import pytest

from lab.evaluation import geometry_sweep
from lab.evaluation.workloads import preset


def test_sweep_measures_every_division(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry_sweep, "HEAVY_SHARES", (None, 0.3))
    monkeypatch.setattr(geometry_sweep, "ROWS", (2, 3))
    rows = list(geometry_sweep.sweep(preset("zipf-1.1", 30_000).window(1), "src", seed=1))
    assert len(rows) == 2 * len(geometry_sweep.ROWS_SHARES) * 2
    assert len({(r["heavy_share"], r["rows_share"], r["rows"]) for r in rows}) == len(rows)
    assert all(0.5 < r["weighted"] <= 1 for r in rows)
    assert len({r["weighted"] for r in rows}) > 1


def test_command_prints_one_header(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, values in (("HEAVY_SHARES", (None,)), ("ROWS_SHARES", (0.2,)), ("ROWS", (3,))):
        monkeypatch.setattr(geometry_sweep, name, values)
    monkeypatch.setattr(geometry_sweep, "preset", lambda name, _: preset(name, 20_000))
    geometry_sweep.main(["src"])
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith("workload,key,heavy_share,rows_share,rows,one_minus_are")
    assert row.startswith("caida-2016,src,,0.2,3,")
