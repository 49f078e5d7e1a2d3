"""The stored tests meet what they are there for, so that passing them means something."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lab.matrix import stored_tests
from lab.matrix.stored_tests import StoredTest
from simulator.geometry import EPOCH_BUFFERS
from simulator.layout import CONTROL, HEADER, HEADER_FIELDS, Cause

NAMES = [
    f"twin_{key}_{family}" for key in ("src", "flow") for family in ("murmur3", "jhash", "pms")
]


@cache
def made() -> dict[str, StoredTest]:
    return {test.name: test for test in stored_tests.stored_tests()}


def headers(test: StoredTest, frames: str) -> np.ndarray:
    arrays = test.arrays[frames]
    swaps = sum(step[0] == "swap" for step in test.steps[frames])
    each = [arrays[f"tfms_{i}"][:, : HEADER.itemsize].copy().view(HEADER) for i in range(swaps)]
    return np.concatenate(each)


def causes(test: StoredTest, frames: str) -> set[int]:
    arrays = test.arrays[frames]
    words = [array.view(CONTROL)[0] for name, array in arrays.items() if name.startswith("control")]
    return {int(word["trip"]) & 0xFF for word in words}


def test_the_names_are_those_of_the_matrix() -> None:
    assert list(made()) == ["parse_src", "parse_flow", *NAMES, "attach", "jumbo", "trip"]


@pytest.mark.parametrize("frames", stored_tests.FRAMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_twin_test_meets_trips_evictions_and_every_outcome(name: str, frames: str) -> None:
    found = headers(made()[name], frames)
    for field in ("exact", "sketched", "evictions", "not_ip", "malformed", "light_packets"):
        assert found[field].sum() > 10, field
    assert causes(made()[name], frames) >= {Cause.BUDGET, Cause.TABLE_FULL}


@pytest.mark.parametrize("name", ["parse_src", "parse_flow"])
def test_a_parse_test_has_every_outcome(name: str) -> None:
    arrays = made()[name].arrays["whole"]
    assert set(arrays["outcomes"].tolist()) == {0, 1, 2}
    assert len(arrays["names"]) == len(arrays["ends"]) == len(arrays["keys"])


def test_short_frames_fit_a_page_and_whole_ones_do_not_all() -> None:
    for test in made().values():
        for frames, arrays in test.arrays.items():
            longest = int(np.diff(arrays["ends"], prepend=0).max())
            assert (longest <= stored_tests.SHORT) is (frames == "short")


def test_the_same_seed_gives_the_same_tests() -> None:
    one, other = made()["twin_src_pms"], stored_tests.stored_tests()[4]
    assert other.name == "twin_src_pms"
    for name, array in one.arrays["whole"].items():
        assert (array == other.arrays["whole"][name]).all()


def test_the_guests_words_are_those_of_the_header() -> None:
    """A guest has no simulator to ask; so its numbers are compared here."""
    from lab.matrix.guest import datapath, parse_test, wire_tests
    from simulator import glimpse

    for name in ("seen", "seen_bytes", "exact", "exact_bytes", "sketched", "sketched_bytes"):
        assert getattr(wire_tests, f"_{name.upper()}") == HEADER_FIELDS.index(name)
    for name in ("not_ip", "malformed", "other_bytes"):
        assert getattr(wire_tests, f"_{name.upper()}") == HEADER_FIELDS.index(name)
    places = tuple(HEADER_FIELDS.index(name) for name in ("exact", "not_ip", "malformed"))
    assert places == parse_test._COUNTERS
    for name in ("DETAIL", "BUDGET", "ACTIVE", "CLOCK", "INSTANCE", "TRIP", "TRIP_NS", "SPENT"):
        assert getattr(datapath, name) == getattr(glimpse, name)
    assert datapath.BUFFERS == EPOCH_BUFFERS
