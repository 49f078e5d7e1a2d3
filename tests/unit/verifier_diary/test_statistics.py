from __future__ import annotations

from tests.diary import LINE, LOG, accepted, filed, rejected
from verifier_diary.attempts import attempt
from verifier_diary.model import Program, Stats
from verifier_diary.origin import Git, Kernel
from verifier_diary.statistics import Count, Size, Tries, Week, statistics
from verifier_diary.statistics_view import render
from verifier_diary.store import Store


def test_classes_kernels_and_programs_are_counted(store: Store) -> None:
    other = rejected(3, LOG.replace(LINE, "return data[1];"), kernel=Kernel("6.12"))
    filed(store, rejected(0), rejected(1), accepted(2), other)
    numbers = statistics(store)
    assert numbers.classes == (Count("packet_bounds", 2, 1, 3),)
    assert numbers.kernels == (Count("6.18.44", 1, 0, 2), Count("6.12", 1, 1, 1))
    assert numbers.programs == (Count("first", 2, 1, 3),)


def test_expected_rejections_count_only_when_asked_for(store: Store) -> None:
    filed(store, rejected(expected=True))
    assert statistics(store).classes == ()
    assert statistics(store, expected=True).classes == (Count("packet_bounds", 1, 1, 1),)


def test_rejections_are_counted_by_week(store: Store) -> None:
    second = Program("second", "first", "xdp")
    filed(
        store,
        rejected(time="2026-01-01T00:00:00Z"),  # a Thursday, of the first week of the year
        rejected(time="2026-01-04T00:00:00Z", program=second),
        rejected(time="2026-01-05T00:00:00Z"),
    )
    assert statistics(store).weeks == (Week("2026-W01", 2, 2), Week("2026-W02", 1, 1))


def test_tries_count_from_the_last_success(store: Store) -> None:
    filed(
        store,
        *(rejected(minute) for minute in (0, 1)),
        accepted(2),
        *(rejected(minute, LOG.replace(LINE, "return data[1];")) for minute in (3, 4, 5)),
        accepted(6),
    )
    assert statistics(store).tries == (Tries("all", 2, 2.5, 3), Tries("packet_bounds", 2, 2.5, 3))


def size(minute: int, instructions: int, sha256: str, revision: str = "1" * 40) -> object:
    stats = Stats(instructions=instructions, limit=1_000_000, states=3)
    return accepted(minute, stats=stats, object_sha256=sha256, git=Git(revision, False))


def test_sizes_show_changes_with_the_margin_to_the_limit(store: Store) -> None:
    filed(store, size(0, 900, "a"), size(1, 900, "a"), size(2, 750_000, "b", "2" * 40))
    first, second = statistics(store).sizes
    when = "2026-03-02T00:00:00.000000Z"
    assert first == Size(
        "first:first", "1" * 40, when, "6.18.44", 900, 1_000_000, 0.9991, 3, first.attempt
    )
    loaded = attempt(store, first.attempt)
    assert loaded is not None
    assert loaded.stats.instructions == 900
    assert (second.instructions, second.margin, second.revision) == (750_000, 0.25, "2" * 40)


def test_a_size_that_stays_is_shown_once(store: Store) -> None:
    filed(store, size(0, 900, "a"), size(1, 900, "b"), size(2, 900, "b", "2" * 40))
    assert len(statistics(store).sizes) == 1


def test_records_have_one_shape(store: Store) -> None:
    filed(store, rejected(0), accepted(1))
    rows = list(statistics(store).rows())
    assert {row["section"] for row in rows} == {
        "classes",
        "kernels",
        "programs",
        "weeks",
        "tries",
        "sizes",
    }
    assert len({tuple(row) for row in rows}) == 1


def test_the_text_shows_every_section(store: Store) -> None:
    filed(store, rejected(0), accepted(1))
    text = render(statistics(store))
    for head in ("class ", "kernel ", "program ", "week ", "tries until", "accepted program"):
        assert head in text
    assert "2026-W10  1           ####" in text
    assert "100.0%" in text


def test_an_empty_diary_has_nothing_to_count(store: Store) -> None:
    assert render(statistics(store)) == "nothing to count yet"
