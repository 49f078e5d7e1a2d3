"""Import logs pasted from anywhere: files of CI runs, issue threads, terminals."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from verifier_diary.attempts import Prepared, prepare
from verifier_diary.classes import by_id
from verifier_diary.classifier import classify
from verifier_diary.clean import Paste, clean
from verifier_diary.filing import file_all
from verifier_diary.finding import Finding
from verifier_diary.logfile import Log
from verifier_diary.model import Attempt, Layer, Program, parse_stats, sha256_of
from verifier_diary.store import Store
from verifier_diary.store_errors import BadLog

BATCH_LOGS = 100  # in one transaction
BATCH_CHARACTERS = 16 << 20
FEW_LINES = 10  # so few may be a bare message; more, without a sign of the verifier, are none
STDIN = "-"
ACCEPTED = "accepted"

_MAGIC = {
    b"\x7fELF": "an ELF object",
    b"\x1f\x8b": "compressed by gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PK\x03\x04": "a zip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_SHARE_OF_TEXT = 0.85  # of the first bytes


@dataclass(frozen=True)
class Imported:
    """One log of a file, as it was understood."""

    file: str
    number: int  # of the log in its file, from 1
    program: str | None
    finding: Finding
    entry: str | None  # None where the program was accepted

    def record(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        finding = self.finding
        return {
            "file": self.file,
            "log": self.number,
            "entry": self.entry,
            "program": self.program,
            "class": finding.class_id,
            "layer": str(finding.layer),
            "message": finding.message or None,
            "instruction": finding.instruction,
            "source_line": finding.source_line,
            "source_file": finding.source_file,
            "source_line_number": finding.source_line_number,
            "truncated": finding.truncated,
            "cause": finding.cause,
            "cure": finding.cure,
        }


def import_logs(
    store: Store, files: Iterable[str], problems: list[BadLog]
) -> Iterator[list[Imported]]:
    """File all logs of all files, batch by batch; files that hold none are added to `problems`.

    The same log of the same file is filed once, however often it is imported.
    """
    batch: list[tuple[Prepared, Imported]] = []
    size = 0
    for file in files:
        try:
            pastes = read(file)
        except BadLog as problem:
            problems.append(problem)
            continue
        for number, paste in enumerate(pastes, 1):
            batch.append(_understood(file, number, paste))
            size += len(paste.log)
            if len(batch) >= BATCH_LOGS or size > BATCH_CHARACTERS:
                yield _filed(store, batch)
                batch, size = [], 0
    if batch:
        yield _filed(store, batch)


def read(file: str) -> tuple[Paste, ...]:
    """Return the logs of a file (`-`: of stdin); raises BadLog where there is none.

    Where one of several programs was rejected, the logs of the accepted ones are left out.
    """
    name = "stdin" if file == STDIN else file
    data = _bytes(file)
    if not data.strip():
        raise BadLog(f"{name} is empty", try_="paste all that the failing load printed into it")
    if kind := _binary(data):
        raise BadLog(f"{name} is no text, but {kind}", try_="import the log itself, as text")
    pastes = _telling(clean(_decoded(data)))
    if not pastes:
        raise BadLog(
            f"{name} holds no verifier log ({len(data.splitlines())} lines of other text)",
            try_="paste what the loader printed, from the first instruction to `processed N insns`",
        )
    return pastes


def _filed(store: Store, batch: list[tuple[Prepared, Imported]]) -> list[Imported]:
    with store.writing():
        file_all(store, (prepared for prepared, _ in batch))
    return [imported for _, imported in batch]


def _understood(file: str, number: int, paste: Paste) -> tuple[Prepared, Imported]:
    name = file if file == STDIN else str(Path(file).resolve())
    attempt = Attempt(
        Program(paste.program or ""),
        accepted=False,
        id=sha256_of(f"{name}\0{number}\0{paste.loader}\0{paste.log}")[:16],
        errno=paste.errno,
        messages=paste.loader,
        log=paste.log,
        stats=parse_stats(paste.log),
    )
    prepared = prepare(attempt, file=file)
    finding = prepared.finding
    assert finding is not None
    if finding.class_id == "no_message" and _is_accepted(paste):
        prepared = prepare(replace(attempt, accepted=True), file=file)
        error = by_id(ACCEPTED)
        finding = Finding(ACCEPTED, Layer.NOBODY, "", cause=error.cause, cure=error.cure)
    entry = prepared.row["entry"]
    return prepared, Imported(file, number, paste.program, finding, str(entry) if entry else None)


def _telling(pastes: tuple[Paste, ...]) -> tuple[Paste, ...]:
    logs = tuple(paste for paste in pastes if _is_log(paste))
    if len(logs) > 1:
        logs = tuple(paste for paste in logs if not _is_accepted(paste)) or logs
    return logs or tuple(paste for paste in pastes if _is_short(paste))


def _is_log(paste: Paste) -> bool:
    log = Log(paste.log)
    if log.is_log:
        return True
    verdict = classify(log, paste.loader, paste.errno)
    return verdict.class_id not in ("unclassified", "no_message")


def _is_accepted(paste: Paste) -> bool:
    return classify(paste.log, paste.loader, paste.errno).class_id == ACCEPTED


# A bare message, of which the table knows nothing.
def _is_short(paste: Paste) -> bool:
    return 0 < sum(bool(line.strip()) for line in paste.log.split("\n")) <= FEW_LINES


def _bytes(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadLog(f"{file} cannot be read: {reason}", try_="check its name and owner") from error


def _binary(data: bytes) -> str | None:
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None  # UTF-16, as some shells redirect
    head = data[:4096]
    text = sum(byte >= 0x20 or byte in b"\t\n\r\x1b\x08\x0c" for byte in head)
    return None if text >= _SHARE_OF_TEXT * len(head) and _reads(head) else "binary data"


# Random bytes are mostly above 0x20, but they are no UTF-8.
def _reads(head: bytes) -> bool:
    broken = head.decode("utf-8", "replace").count("\ufffd")
    return broken <= len(head) * (1 - _SHARE_OF_TEXT)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")
