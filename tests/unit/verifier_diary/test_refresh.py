from __future__ import annotations

from tests.diary import LINE, LOG, accepted, filed, rejected
from verifier_diary.entries import Filter, entries
from verifier_diary.page import page
from verifier_diary.refresh import refresh
from verifier_diary.search import search
from verifier_diary.store import Store
from verifier_diary.views import render


def forget(store: Store) -> None:
    """Leave the diary as a version that knew no classes would have."""
    with store.writing():
        store.write(
            "UPDATE attempts SET class = 'unclassified', entry = 'old', message = '' "
            "WHERE entry IS NOT NULL"
        )
        store.write("UPDATE entries SET class = 'unclassified', id = 'old', message = ''")
        store.write("UPDATE searched SET entry = 'old', explanation = 'nothing'")


def test_rejections_are_filed_as_this_version_sees_them(store: Store) -> None:
    before = filed(store, rejected(0), rejected(1), accepted(2))
    forget(store)
    assert list(refresh(store)) == [(2, 2)]
    assert entries(store, Filter(expected=None)) == before
    assert [found.id for found in search(store, "packet_bounds")] == [before[0].id]


def test_what_is_known_already_stays(store: Store) -> None:
    before = filed(store, rejected(0), rejected(1, LOG.replace(LINE, "return data[1];")))
    assert list(refresh(store)) == [(2, 0)]
    assert entries(store, Filter(expected=None)) == before


def test_a_page_says_when_its_entry_is_out_of_date(store: Store) -> None:
    filed(store, rejected())
    forget(store)
    (old,) = entries(store)
    assert (
        "\nfiled as unclassified, by an older version: `lab diary refresh` files it anew\n"
        in render(page(store, old))
    )
