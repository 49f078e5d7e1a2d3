from __future__ import annotations

from tests.recorder import EXIT, chunk_event, load_event
from verifier_diary.instructions import instructions_sha256
from verifier_diary.processes import Process
from verifier_diary.reassembly import UNFINISHED, Load, Reassembly
from verifier_diary.recorder_events import ARGUMENTS, CODE, ENVIRONMENT, LOG, parse


def fed(*events: bytes, into: Reassembly | None = None) -> Load:
    reassembly = into or Reassembly()
    loads = [load for event in events if (load := reassembly.feed(parse(event)))]
    assert loads, "no load ended"
    return loads[-1]


def log_chunks(*parts: bytes, start: int = 0) -> list[bytes]:
    events = []
    for part in parts:
        events.append(chunk_event(LOG, part, offset=start))
        start += len(part)
    return events


def test_a_log_is_joined_from_its_chunks() -> None:
    load = fed(*log_chunks(b"first ", b"second"), load_event(log_length=12))
    assert (load.log, load.log_cut) == ("first second", False)


def test_loads_of_several_threads_are_kept_apart() -> None:
    reassembly = Reassembly()
    for thread in (7, 8):
        reassembly.feed(parse(chunk_event(LOG, b"%d" % thread, thread=thread)))
    seven = fed(load_event(thread=7, log_length=1), into=reassembly)
    eight = fed(load_event(thread=8, log_length=1), into=reassembly)
    assert (seven.log, eight.log) == ("7", "8")


def test_chunks_whose_end_was_lost_do_not_join_the_next_load() -> None:
    orphan = chunk_event(LOG, b"orphan", time=1)
    load = fed(orphan, chunk_event(LOG, b"mine", time=2), load_event(time=2, log_length=4))
    assert load.log == "mine"


def test_chunks_whose_end_was_lost_do_not_pile_up() -> None:
    reassembly = Reassembly()
    for thread in range(UNFINISHED + 10):
        reassembly.feed(parse(chunk_event(LOG, b"orphan", thread=thread)))
    assert len(reassembly._chunks) == UNFINISHED


def test_above_a_lost_chunk_the_end_is_kept() -> None:
    first, _, third = log_chunks(b"begin ", b"middle ", b"end")
    load = fed(first, third, load_event(log_length=16, flags=4))
    assert (load.log, load.log_cut) == ("end", True)


def test_a_lost_last_chunk_is_noticed() -> None:
    first, _ = log_chunks(b"begin ", b"end")
    load = fed(first, load_event(log_length=9, flags=4))
    assert (load.log, load.log_cut) == ("begin ", True)


def test_the_tail_of_a_log_above_the_cap_counts_as_cut() -> None:
    load = fed(*log_chunks(b"tail", start=100), load_event(log_start=100, log_length=104))
    assert (load.log, load.log_cut) == ("tail", True)


def test_a_true_size_above_the_buffer_means_a_cut_log() -> None:
    end = load_event(log_length=4, log_size=5, true_size=100, attr_size=152)
    load = fed(*log_chunks(b"tail"), end)
    assert (load.log_cut, load.log_true_size) == (True, 100)


def test_without_a_log_level_there_is_no_buffer() -> None:
    load = fed(load_event(level=0))
    assert (load.log_level, load.log_size, load.log, load.log_cut) == (0, 0, "", False)


def test_what_an_earlier_load_left_in_the_buffer_is_no_log() -> None:
    reassembly = Reassembly()
    fed(load_event(true_size=3, attr_size=152), into=reassembly)  # so this kernel tells sizes
    stale = load_event(flags=1, log_length=5, attr_size=152, true_size=0, result=-1)
    assert fed(*log_chunks(b"stale"), stale, into=reassembly).log == ""


def test_a_reused_buffer_of_an_old_loader_is_believed() -> None:
    load = fed(*log_chunks(b"fresh"), load_event(flags=1, log_length=5))
    assert load.log == "fresh"


def test_the_instructions_are_hashed_as_the_journal_does() -> None:
    load = fed(chunk_event(CODE, EXIT), load_event())
    assert load.code_sha256 == instructions_sha256(EXIT)


def test_instructions_that_are_not_all_there_have_no_hash() -> None:
    assert fed(chunk_event(CODE, EXIT), load_event(insns=2)).code_sha256 is None


def test_arguments_and_test_come_from_the_processs_memory() -> None:
    load = fed(
        chunk_event(ARGUMENTS, b"bpftool\0prog\0"),
        chunk_event(ENVIRONMENT, b"A=1\0PYTEST_CURRENT_TEST=t.py::test_it (call)\0"),
        load_event(),
    )
    assert load.process == Process(("bpftool", "prog"), "t.py::test_it")


def test_process_thread_and_type_are_named() -> None:
    load = fed(load_event(thread=5 << 32 | 6))
    assert (load.tgid, load.tid, load.type, load.name) == (5, 6, "xdp", "prog")


def test_a_descriptor_means_accepted() -> None:
    load = fed(load_event(result=4))
    assert (load.accepted, load.errno) == (True, 0)
