"""The rows that the evaluation prints of the papers' numbers and of equal bytes."""

from __future__ import annotations

from lab.evaluation import equal_bytes, published


def test_rows_hold_the_papers_number_ours_and_the_verdict() -> None:
    (row,) = published.rows(1, sketches=["salsa"])
    assert row["sketch"] == "salsa"
    assert (row["published"], row["ours"], row["verdict"]) == (0.0, 0.0, published.REPRODUCED)
    assert row["seconds"] > 0


def test_equal_bytes_charges_every_sketch_with_no_more_than_its_share() -> None:
    rows = list(equal_bytes.rows("src", packets=30_000, sketches=["salsa", "space_saving"]))
    assert [row["share"] for row in rows] == ["1/40", "1/40", "1/20", "1/20", "1/10", "1/10"]
    assert [row["sketch"] for row in rows] == ["salsa", "space_saving"] * 3
    sizes = [row["bytes"] for row in rows if row["sketch"] == "salsa"]
    assert sizes == sorted(sizes)
    salsa, saving = rows[4:]
    assert abs(salsa["bytes"] - saving["bytes"]) < 100
    assert salsa["one_minus_are"] > saving["one_minus_are"]
    assert salsa["heavy_hitter_f1"] is None
    assert saving["heavy_hitter_f1"] is not None
