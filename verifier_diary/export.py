"""Write this project's own entries as text, one file each: committed, and made to diff well.

They come from the project's journal alone, not from the person's diary, which knows strangers'
programs and pasted logs too.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from verifier_diary import journal
from verifier_diary.entries import Filter, entries
from verifier_diary.generated import Change, write_folder
from verifier_diary.journal_files import waiting
from verifier_diary.journal_import import import_file
from verifier_diary.page import Page, page
from verifier_diary.page_record import diagnosis_record
from verifier_diary.store import Store
from verifier_diary.store_errors import BadLog
from verifier_diary.views import FOLDED, folded_log

SCHEMA = 1
LONGEST_LINE = 2_000  # characters; a state may print a hundred slots
_MARK = '{\n "schema": '


def export(folder: Path, complain: Callable[[str], None]) -> list[Change]:
    """Write the entries of the project's journal into a folder; returns what changed."""
    where = journal.directory()
    with tempfile.TemporaryDirectory() as scratch, Store(Path(scratch) / "diary.db") as store:
        files = waiting(store, [where])
        if not files:
            raise BadLog(
                f"there is no journal to export in {where}", try_="lab verify FILE.c writes one"
            )
        for file in files:
            for _ in import_file(store, file, complain):
                pass
        pages = [page(store, entry) for entry in entries(store, Filter(expected=None))]
    return write_folder(folder, dict(map(_file, pages)), lambda text: text.startswith(_MARK))


def _file(this: Page) -> tuple[str, str]:
    entry = this.entry
    text = json.dumps(record(this), indent=1, ensure_ascii=False)
    return f"{entry.class_id}-{entry.id}.json", text + "\n"


def record(this: Page) -> dict[str, Any]:
    """Return what is exported of a page: nothing that a person's machine adds."""
    entry = this.entry.record()
    for name in ("last_attempt", "cured_by", "cured_time", "tries"):
        del entry[name]
    seen = (sighting for sighting in reversed(this.sightings))
    return {
        "schema": SCHEMA,
        **entry,
        "kernels": sorted({s.kernel for s in this.sightings if s.kernel}),
        "first_seen_by": _who(next(seen)),
        **diagnosis_record(this.diagnosis),
        "cure": _cure(this),
        "toolchain": asdict(this.attempt.toolchain),
        "log": [line[:LONGEST_LINE] for line in folded_log(this, FOLDED * 4)],
    }


def _who(sighting: Any) -> dict[str, Any]:
    return {
        "command": sighting.command,
        "test": sighting.test,
        "revision": sighting.revision,
        "dirty": sighting.dirty,
    }


def _cure(this: Page) -> dict[str, Any] | None:
    if this.cure is None:
        return None
    cure = asdict(this.cure)
    del cure["attempt"]
    return cure | {"diff": this.cure.diff.split("\n") if this.cure.diff else []}
