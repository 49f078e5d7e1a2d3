"""Put the chunks of the flight recorder's ring together again, one load at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from verifier_diary.instructions import instructions_sha256
from verifier_diary.processes import Process
from verifier_diary.program_types import program_type
from verifier_diary.recorder_events import (
    ARGUMENTS,
    CODE,
    COVERS_TRUE_SIZE,
    ENVIRONMENT,
    LOG,
    Chunk,
    Ended,
)

_KINDS = (ARGUMENTS, ENVIRONMENT, CODE, LOG)
UNFINISHED = 256  # loads whose end may still come; more are left over from ends that were lost


@dataclass(frozen=True, slots=True)
class Load:
    """One BPF_PROG_LOAD of some process, as far as it could be read."""

    tgid: int
    tid: int
    uid: int
    comm: str
    name: str  # at most 15 bytes; empty where the loader gave none
    type: str
    instruction_count: int
    time_ns: int  # when it ended, CLOCK_MONOTONIC
    duration_ns: int
    errno: int  # 0: accepted
    log_level: int
    log_size: int  # bytes that the loader's buffer holds; 0: it gave none
    log: str = ""
    log_cut: bool = False  # the log is not all here
    log_true_size: int | None = None  # bytes; known where kernel and loader both can tell
    code_sha256: str | None = None  # None where not all instructions could be read
    process: Process = field(default_factory=Process)
    may_load: bool | None = None  # looked up where it matters
    verified: int | None = None  # instructions processed, of an accepted program

    @property
    def accepted(self) -> bool:
        """Say whether the kernel took the program."""
        return self.errno == 0

    @property
    def started_ns(self) -> int:
        """Return when the load began."""
        return self.time_ns - self.duration_ns


class Reassembly:
    """Takes events in the order of the ring; gives a load at each end."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._chunks: dict[int, list[Chunk]] = {}
        self._kernel_tells_size = False

    def feed(self, event: Chunk | Ended) -> Load | None:
        """Keep a chunk, or finish a load."""
        if isinstance(event, Ended):
            return self._load(event)
        chunks = self._chunks.setdefault(event.thread, [])
        if chunks and chunks[0].time_ns != event.time_ns:
            chunks.clear()  # of a load whose end was lost
        chunks.append(event)
        if len(self._chunks) > UNFINISHED:
            del self._chunks[next(iter(self._chunks))]
        return None

    def _load(self, end: Ended) -> Load:
        chunks = [c for c in self._chunks.pop(end.thread, ()) if c.time_ns == end.time_ns]
        self._kernel_tells_size |= end.log_true_size > 0
        parts = {kind: [c for c in chunks if c.kind == kind] for kind in _KINDS}
        log, whole = _joined(parts[LOG], end.log_start, end.log_length)
        logging = bool(end.log_level and end.log_buffer)
        if self._is_stale(end):
            log, whole = b"", True
        return Load(
            tgid=end.thread >> 32,
            tid=end.thread & 0xFFFFFFFF,
            uid=end.uid,
            comm=end.comm,
            name=end.name,
            type=program_type(end.program_type),
            instruction_count=end.instruction_count,
            time_ns=end.time_ns,
            duration_ns=end.duration_ns,
            errno=max(0, -end.result),
            log_level=end.log_level if logging else 0,
            log_size=end.log_size if logging else 0,
            log=log.decode("utf-8", "replace"),
            log_cut=not whole or end.log_start > 0 or 0 < end.log_size < end.log_true_size,
            log_true_size=end.log_true_size or None,
            code_sha256=_code_sha256(parts[CODE], end),
            process=Process.of(_data(parts[ARGUMENTS]), _data(parts[ENVIRONMENT])),
            verified=end.verified or None,
        )

    # The kernel refused before it wrote a log: what the buffer holds is an earlier load's.
    def _is_stale(self, end: Ended) -> bool:
        silent = self._kernel_tells_size and end.attr_size >= COVERS_TRUE_SIZE
        return end.was_dirty and silent and end.log_true_size == 0


def _code_sha256(chunks: list[Chunk], end: Ended) -> str | None:
    wanted = end.instruction_count * 8
    code, whole = _joined(chunks, 0, wanted)
    return instructions_sha256(code) if whole and code else None


def _data(chunks: list[Chunk]) -> bytes:
    return b"".join(chunk.data for chunk in chunks)


# Above a hole the rest is kept: the verdict is at the end.
def _joined(chunks: list[Chunk], start: int, end: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    expected, whole = start, True
    for chunk in chunks:
        if chunk.offset != expected:
            parts, whole = [], False
        parts.append(chunk.data)
        expected = chunk.offset + len(chunk.data)
    return b"".join(parts), whole and expected == end
