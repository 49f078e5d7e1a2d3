"""Observations, decisions and settings as rows of plain numbers, and back."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from simulator.layout import Cause, Detail, Setting
from simulator.policy import Decision, Observation, Policy

SEEN = Observation(5, 1, Cause.BUDGET, 4, 10, math.inf, 0.01, 0, Detail.LOW, error=None, fill=0.5)


@pytest.mark.parametrize("record", [SEEN, Decision(7), Decision(7, Detail.LOW, 2, 9), Policy()])
def test_record_comes_back_from_its_row(record: Observation | Decision | Policy) -> None:
    again = type(record).from_row(json.loads(json.dumps(record.as_row())))
    assert again == record
    assert [type(a) for a in vars(again).values()] == [type(b) for b in vars(record).values()]


def test_enums_are_stored_as_numbers() -> None:
    assert SEEN.as_row()["detail"] == 1
    assert type(SEEN.as_row()["cause"]) is int
    assert Policy.from_row(replace(Policy(), setting=Setting.LOW).as_row()).setting is Setting.LOW


def test_row_of_another_version_says_which_columns_are_wrong() -> None:
    row = SEEN.as_row()
    del row["fill"]
    with pytest.raises(ValueError, match="recorded observation misses fill, has an unknown weight"):
        Observation.from_row({**row, "weight": 1})
