from __future__ import annotations

from verifier_diary.hotspots import hotspots
from verifier_diary.logfile import Log
from verifier_diary.source import Spot


def test_hotspots_are_the_lines_with_most_instructions() -> None:
    log = Log(
        "0: (b7) r0 = 0\n"
        "; sum += i; @ a.c:5\n1: (0f) r0 += r1\n2: (0f) r0 += r1\n"
        "; i++ @ a.c:4\n3: (07) r1 += 1\n"
        "; sum += i; @ a.c:5\n1: (0f) r0 += r1\n"
        "BPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns (limit 1000000)"
    )
    first, second = hotspots(log)
    assert (first.spot, first.instructions, first.share) == (Spot("sum += i;", "a.c", 5), 3, 0.6)
    assert second.instructions == 1


def test_a_log_without_source_has_no_hotspots() -> None:
    assert hotspots(Log("0: (b7) r0 = 0\n1: (95) exit")) == ()
