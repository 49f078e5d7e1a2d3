"""Write this project's own entries as text, one file each: committed, and made to diff well.

They come from the project's journal alone, not from the person's diary, which knows strangers'
programs and pasted logs too: from `verifier_diary/journal` what was met while it was developed, and
from the folder `lessons` in it what the lessons' programs were told, on each kernel that
`lab diary lessons` was run on. Of the first, what a test or lesson expected is left out: whoever
tries a lesson would change the export.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from verifier_diary import journal, words
from verifier_diary.attempts import attempt
from verifier_diary.entries import Filter, Sighting, entries
from verifier_diary.filing import derive
from verifier_diary.generated import Change, default, write_folder
from verifier_diary.journal_files import waiting
from verifier_diary.journal_import import import_file
from verifier_diary.page import Page, page
from verifier_diary.page_record import diagnosis_record
from verifier_diary.statistics import Size, sizes
from verifier_diary.store import Store
from verifier_diary.store_errors import BadLog
from verifier_diary.views import FOLDED, folded_log

SCHEMA = 2
LONGEST_LINE = 2_000  # characters; a state may print a hundred slots
PROGRAMS = "programs.jsonl"
LESSONS = "lessons"
_OWN_SOURCES = ("bpf/", "verifier_diary/")
_ENTRY = '{\n "schema": '
_SIZE = '{"program":'


def lessons_folder() -> Path:
    """Return where the lessons' records are."""
    return journal.directory() / LESSONS


def export(folder: Path, complain: Callable[[str], None]) -> list[Change]:
    """Write the entries of the project's journal into a folder; returns what changed.

    The same journal gives the same bytes. Beside the entries, `programs.jsonl` has what the
    project's own programs cost the verifier whenever that changed. The longest logs are not
    committed: in a clone their entries are left as they were exported where they were made.
    """
    with tempfile.TemporaryDirectory() as scratch, Store(Path(scratch) / "diary.db") as store:
        programs = fill(store, complain)
        pages = [page(store, entry) for entry in entries(store, Filter(expected=None))]
    elsewhere = [this for this in pages if this.attempt.truncated and not this.attempt.log]
    for this in elsewhere:
        name = this.entry.program or this.entry.object
        complain(f"the log of {name} is not in this clone; its entry stays as it is")
    files = dict(_file(this) for this in pages if this not in elsewhere)
    if programs:
        files[PROGRAMS] = "".join(f"{_line(size)}\n" for size in programs)
    kept = tuple(f'"first_seen": "{this.entry.first_seen}"' for this in elsewhere)

    def is_ours(text: str) -> bool:
        return text.startswith((_ENTRY, _SIZE)) and not any(mark in text for mark in kept)

    return write_folder(folder, files, is_ours)


def fill(store: Store, complain: Callable[[str], None]) -> list[Size]:
    """Fill an empty diary with what is exported; returns what the project's programs cost."""
    where = journal.directory()
    if not _read(store, where, complain) and not waiting(store, [lessons_folder()]):
        raise BadLog(
            f"there is no journal to export in {where}", try_="lab verify FILE.c writes one"
        )
    programs = [size for size in sizes(store) if _is_own(store, size)]
    _leave_out_expected(store)
    _read(store, lessons_folder(), complain)
    return programs


def _read(store: Store, folder: Path, complain: Callable[[str], None]) -> bool:
    files = waiting(store, [folder])
    for file in files:
        for _ in import_file(store, file, complain):
            pass
    return bool(files)


def _leave_out_expected(store: Store) -> None:
    rows = store.rows("SELECT DISTINCT entry FROM attempts WHERE expected AND NOT accepted")
    with store.writing():
        store.write("DELETE FROM attempts WHERE expected AND NOT accepted")
        for row in rows:
            derive(store, row["entry"])


# Not the throw-away programs of somebody who tries things, nor lessons.
def _is_own(store: Store, size: Size) -> bool:
    found = attempt(store, size.attempt)
    if found and found.sources:
        source = found.sources[0].path
        return source.startswith(_OWN_SOURCES) and not source.startswith("bpf/lessons/")
    noun = re.sub(r"_(src|flow)$", "", size.name.partition(":")[0])
    return (default("bpf") / f"{noun}.bpf.c").exists()


def _line(size: Size) -> str:
    record = {
        "program": size.name,
        "time": size.time,
        "revision": size.revision,
        "kernel": size.kernel,
        "instructions": size.instructions,
        "limit": size.limit,
        "states": size.states,
    }
    return json.dumps(record, separators=(",", ":"))


def _file(this: Page) -> tuple[str, str]:
    entry = this.entry
    text = json.dumps(record(this), indent=1, ensure_ascii=False)
    return f"{entry.class_id}-{entry.id}.json", text + "\n"


def record(this: Page) -> dict[str, Any]:
    """Return what is exported of a page: nothing that a person's machine adds."""
    entry = this.entry.record()
    for name in ("last_attempt", "cured_by", "cured_time", "tries"):
        del entry[name]
    return {
        "schema": SCHEMA,
        **entry,
        "kernels": sorted(this.kernels),
        "first_seen_by": _who(this.first),
        **diagnosis_record(this.diagnosis),
        "registers": list(_registers(this)),
        "cure": _cure(this),
        "toolchain": asdict(this.attempt.toolchain),
        "log": [line[:LONGEST_LINE] for line in folded_log(this, FOLDED * 4)],
    }


def _registers(this: Page) -> Iterator[dict[str, str]]:
    for register in this.diagnosis.at.registers:
        said = words.describe(register.value)
        yield {"name": register.name, "printed": str(register), "in_words": said}


def _who(sighting: Sighting) -> dict[str, Any]:
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
    del cure["attempt"], cure["sources_known"]
    return cure | {"diff": this.cure.diff.split("\n") if this.cure.diff else []}
