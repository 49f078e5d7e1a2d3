"""All that is known about one entry, put together for a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from verifier_diary.attempts import attempt
from verifier_diary.cures import Cure, cure
from verifier_diary.entries import Entry, Sighting, first_sighting, kernels, sightings
from verifier_diary.explain import Diagnosis
from verifier_diary.finding import diagnose
from verifier_diary.model import Attempt, SourceText, sha256_of
from verifier_diary.scrub import repository
from verifier_diary.store import Store

SIGHTINGS = 100  # the newest
AT_ONCE = 256 * 1024  # bytes of log that are diagnosed in an instant: 0.1 s


@dataclass(frozen=True)
class Page:
    """An entry with its last attempt, the diagnosis made afresh, its sightings and its cure."""

    entry: Entry
    attempt: Attempt
    diagnosis: Diagnosis
    kernels: tuple[str, ...]  # that refused it, the newest sighting's first
    first: Sighting
    sightings: tuple[Sighting, ...]  # the newest
    cure: Cure | None
    changed_since: tuple[str, ...] = ()  # sources that read otherwise by now, or are gone


def log_size(store: Store, entry: Entry) -> int:
    """Return the bytes of the log that a page of an entry is made from, without reading it."""
    row = store.row(
        "SELECT size FROM texts WHERE sha256 = (SELECT log_sha256 FROM attempts WHERE id = ?)",
        (entry.last_attempt,),
    )
    return int(row["size"]) if row else 0


def page(store: Store, entry: Entry) -> Page:
    """Read what belongs to an entry."""
    last = attempt(store, entry.last_attempt)
    assert last is not None, f"entry {entry.id} without its attempt"
    return Page(
        entry,
        last,
        diagnose(last),
        tuple(kernels(store, entry.id)),
        first_sighting(store, entry.id),
        tuple(sightings(store, entry.id, SIGHTINGS)),
        cure(store, entry),
        tuple(source.path for source in last.sources if _has_changed(source)),
    )


# Journaled paths are relative to the checkout, or to the home.
def _has_changed(source: SourceText) -> bool:
    path = (repository() or Path()) / Path(source.path).expanduser()
    try:
        return sha256_of(path.read_bytes()) != source.sha256
    except OSError:
        return True
