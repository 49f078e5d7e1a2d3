"""All that is known about one entry, put together for a page."""

from __future__ import annotations

from dataclasses import dataclass

from verifier_diary.attempts import attempt
from verifier_diary.cures import Cure, cure
from verifier_diary.entries import Entry, Sighting, sightings
from verifier_diary.explain import Diagnosis
from verifier_diary.finding import diagnose
from verifier_diary.model import Attempt
from verifier_diary.store import Store

SIGHTINGS = 100  # the newest


@dataclass(frozen=True)
class Page:
    """An entry with its last attempt, the diagnosis made afresh, its sightings and its cure."""

    entry: Entry
    attempt: Attempt
    diagnosis: Diagnosis
    sightings: tuple[Sighting, ...]
    cure: Cure | None


def page(store: Store, entry: Entry) -> Page:
    """Read what belongs to an entry."""
    last = attempt(store, entry.last_attempt)
    assert last is not None, f"entry {entry.id} without its attempt"
    return Page(
        entry,
        last,
        diagnose(last),
        tuple(sightings(store, entry.id, SIGHTINGS)),
        cure(store, entry),
    )
