from __future__ import annotations

import errno
from typing import Any

import pytest

from tests.recorder import load
from verifier_diary.reassembly import Load
from verifier_diary.retries import WINDOW_NS, Retries, Sighting, continues

NEVER = WINDOW_NS * 1000


def sightings(*loads: Load) -> list[Sighting]:
    retries = Retries(busy=lambda _: False)
    for one in loads:
        retries.add(one)
    return retries.settled(NEVER)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"log_level": 0}, {}, id="libbpf: no log, then one"),
        pytest.param({"errno": errno.ENOSPC}, {"log_size": 131072}, id="a larger buffer"),
        pytest.param({"errno": errno.ENOSPC}, {"errno": 0, "log_size": 131072}, id="accepted then"),
        pytest.param({"errno": errno.ENOSPC}, {"log_level": 0}, id="the verdict without a log"),
        pytest.param({}, {"log_level": 2}, id="more of the log"),
        pytest.param({"errno": errno.EAGAIN}, {}, id="interrupted"),
        pytest.param(
            {"errno": errno.EINVAL, "log_level": 0},
            {"errno": errno.EINVAL, "log_level": 0, "name": ""},
            id="bcc: without the name",
        ),
        pytest.param({"name": "", "log_level": 0}, {}, id="bcc: with the name again"),
        pytest.param({"errno": errno.EPERM}, {}, id="after raising the memory limit"),
        pytest.param({"log_level": 0}, {"tid": 101}, id="Go: from another thread"),
        pytest.param({"log_level": 0, "code_sha256": None}, {}, id="instructions not readable"),
    ],
)
def test_a_load_tried_in_another_way_counts_once(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    [sighting] = sightings(load(0, **before), load(1, **after))
    assert len(sighting.tries) == 2


@pytest.mark.parametrize(
    "after",
    [
        pytest.param({}, id="the same way"),
        pytest.param({"log_level": 0}, id="with less"),
        pytest.param({"log_level": 2, "tgid": 101}, id="by another process"),
        pytest.param({"log_level": 2, "name": "other"}, id="under another name"),
        pytest.param({"log_level": 2, "code_sha256": "d" * 64}, id="other instructions"),
        pytest.param({"log_level": 2, "instruction_count": 2}, id="another length"),
        pytest.param({"log_level": 2, "type": "tracing"}, id="another type"),
    ],
)
def test_another_load_is_another_sighting(after: dict[str, Any]) -> None:
    assert len(sightings(load(0), load(1, **after))) == 2


def test_permission_denied_again_and_again_is_many_sightings() -> None:
    loads = [load(n, errno=errno.EPERM, log_level=0) for n in range(3)]
    assert len(sightings(*loads)) == 3


def test_a_retry_after_the_window_is_another_sighting() -> None:
    late = WINDOW_NS // 1_000_000 + 1
    assert len(sightings(load(0, log_level=0), load(late))) == 2


def test_two_threads_with_the_same_program_are_two_sightings() -> None:
    found = sightings(
        load(0, tid=1, log_level=0),
        load(1, tid=2, log_level=0),
        load(2, tid=1),
        load(3, tid=2),
    )
    assert [[t.tid for t in s.tries] for s in found] == [[1, 1], [2, 2]]


def test_a_burst_of_double_loads_is_as_many_sightings() -> None:
    loads = [load(n, log_level=n % 2) for n in range(200)]
    assert len(sightings(*loads)) == 100


def test_nothing_is_given_out_before_its_window_is_over() -> None:
    retries = Retries(busy=lambda _: False)
    retries.add(load(0))
    assert retries.settled(WINDOW_NS - 1) == []
    assert len(retries.settled(WINDOW_NS)) == 1
    assert retries.settled(NEVER) == []


def test_a_load_without_a_verdict_waits_for_the_one_under_way() -> None:
    retries = Retries(busy=lambda _: True)
    retries.add(load(0, log_level=0))
    retries.add(load(0, tgid=101))
    assert [s.first.tgid for s in retries.settled(NEVER)] == [101]
    assert [s.first.tgid for s in retries.rest()] == [100]


def test_an_interrupted_load_is_no_sighting() -> None:
    assert sightings(load(0, errno=errno.EAGAIN)) == []


def test_the_try_with_a_log_tells() -> None:
    full = load(0, errno=errno.ENOSPC)
    sighting = Sighting([full, load(1, log_level=0)])
    assert sighting.told is full
    assert sighting.last.errno == errno.EACCES


def test_the_name_is_known_from_any_try() -> None:
    assert Sighting([load(0), load(1, name="")]).name == "prog"


def test_nothing_follows_an_accepted_load() -> None:
    assert not continues(load(0, errno=0), load(1, log_level=2))


def test_what_waits_is_measured() -> None:
    retries = Retries(busy=lambda _: False)
    retries.add(load(0, log="x" * 1000))
    assert retries.held_bytes() == 1000
    retries.rest()
    assert retries.held_bytes() == 0
