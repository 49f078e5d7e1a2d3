"""The usual BCC program as a lane, with a no-op of its own; both loads go to the diary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import build
from lab.bench.case import KEYS, Case
from lab.bench.kernel_lane import KernelLane
from lab.bench.lane import Facts
from lab.bench.structures import Table
from lab.errors import EnvironmentProblem
from lab.libbpf.maps import BPF_F_MMAPABLE, Map
from lab.libbpf.program import Program
from verifier_diary import bcc_capture, kernel_headers

SOURCE = Path(__file__).with_name("bcc_hash.c")
BURST = 256  # keys a run: the harness's own share becomes 0.1 ns
_COUNTS, _PROGRAM = "counts", "bench_bcc"


def available() -> str | None:
    """Return what is missing, or None."""
    try:
        import bcc  # noqa: F401
    except (ImportError, OSError) as error:
        return f"Python has no working bcc: {error}"
    return None if kernel_headers.export() else "bcc finds no kernel headers"


def counting(case: Case) -> KernelLane:
    """Load the program that counts."""
    instructions, _ = _load(case, "-DCOUNT", "-DBURST=1")
    _, module = _load(case, "-DCOUNT", f"-DBURST={BURST}")
    key_bytes = case.setup.key.dtype.itemsize
    counts = Map(_COUNTS, _fd(module, _COUNTS), "hash", key_bytes, 8, case.room, owned=False)
    return _lane(case, module, instructions, [Table(counts)])


def harness(case: Case) -> KernelLane:
    """Load the same program without its update."""
    instructions, module = _load(case, f"-DBURST={BURST}")
    return _lane(case, module, instructions, [])


# The loop is verified BURST times, so what the verifier processes for one key is asked with one.
def _load(case: Case, *flags: str) -> tuple[int | None, Any]:
    missing = available()
    if missing:
        raise EnvironmentProblem(
            f"bcc_hash cannot be measured: {missing}",
            try_="scripts/provision.sh, then `make setup`",
        )
    import bcc

    sizes = {
        "WORDS": case.setup.key.words,
        "KEYS": len(case.layout.keys),
        "ROOM": case.room,
    }
    given = [f"-I{build.BPF / 'include'}", *(f"-D{n}={v}" for n, v in sizes.items()), *flags]
    with bcc_capture.captured() as attempts:
        module = bcc.BPF(src_file=str(SOURCE).encode(), cflags=given)
        module.load_func(_PROGRAM.encode(), bcc.BPF.XDP)
    case.stack.callback(module.cleanup)
    stats = attempts[-1].stats
    return (stats.instructions if stats else None), module


def _lane(case: Case, module: Any, instructions: int | None, tables: list[Table]) -> KernelLane:
    entries, size = len(case.layout.keys), case.setup.key.dtype.itemsize
    case.fill(Map(KEYS, _fd(module, KEYS), "array", 4, size, entries, BPF_F_MMAPABLE, owned=False))
    program = Program(_PROGRAM, module.funcs[_PROGRAM.encode()].fd, "xdp", owned=False)
    memory = sum(table.memory() for table in tables)
    facts = Facts(instructions, program.info().jited_size, memory)
    return KernelLane(case, program, tables, facts, burst=BURST)


def _fd(module: Any, name: str) -> int:
    return int(module[name.encode()].map_fd)
