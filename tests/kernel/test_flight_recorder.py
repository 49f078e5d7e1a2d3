from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import loader
from lab.build import Build
from lab.toolchain import find
from tests.kernel import raw_bpf
from tests.kernel.conftest import FORCE, needs_clang, needs_root
from verifier_diary import journal
from verifier_diary.flight_recorder import FlightRecorder
from verifier_diary.kernel_offsets import offsets
from verifier_diary.model import Layer
from verifier_diary.recorded import Outcome, Recorded
from verifier_diary.recorder_events import CHUNK, LOG_CHUNKS
from verifier_diary.recorder_setup import RecorderUnavailable
from verifier_diary.watching import Watching

pytestmark = [needs_root, pytest.mark.xdist_group("tracepoints")]

ROOT = Path(__file__).parent.parent.parent
DEADLINE_S = 60
CAP = LOG_CHUNKS * (CHUNK - 1)
BAD_C = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int first_byte(struct xdp_md *ctx)
{
	return *(char *)(long)ctx->data;
}
char LICENSE[] SEC("license") = "GPL";
"""
BCC_CHILD = """
from verifier_diary import kernel_headers
kernel_headers.export()
from bcc import BPF
bpf = BPF(text=b"int first_byte(struct xdp_md *ctx) { return *(char *)(long)ctx->data; }")
try:
    bpf.load_func(b"first_byte", BPF.XDP)
except Exception as error:
    print(error)
"""
LIBBPF_CHILD = """
import ctypes, sys
libbpf = ctypes.CDLL("libbpf.so.1")
libbpf.bpf_object__open.restype = ctypes.c_void_p
libbpf.bpf_object__load(ctypes.c_void_p(libbpf.bpf_object__open(sys.argv[1].encode())))
"""


@pytest.fixture(scope="module")
def running() -> Iterator[FlightRecorder]:
    try:
        recorder = FlightRecorder(tree=True)
    except RecorderUnavailable as problem:
        reason = f"{problem}; {problem.try_}"
        if os.environ.get(FORCE) == "local":
            pytest.fail(f"{reason} ({FORCE}=local forbids skipping)", pytrace=False)
        pytest.skip(reason)
    with recorder:
        yield recorder


@pytest.fixture
def recorder(running: FlightRecorder) -> Iterator[FlightRecorder]:
    """The recorder, with nothing left in it from before."""
    running.rest()
    yield running
    running.rest()


def watch(recorder: FlightRecorder, number: int) -> list[Recorded]:
    """Wait until so many have come; what else is on its way is an error of the test's loads."""
    seen: list[Recorded] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(seen) < number and time.monotonic() < deadline:
        seen += recorder.poll(0.1)
    return seen + recorder.rest()


def only(recorder: FlightRecorder) -> Recorded:
    [one] = watch(recorder, 1)
    return one


def run(*command: str | Path) -> None:
    subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=DEADLINE_S,
    )


@pytest.fixture
def bad_object(compiled: Callable[..., Build]) -> Path:
    return compiled(BAD_C, name="bad").object


def test_a_raw_callers_rejection_is_recorded_with_its_whole_log(recorder: FlightRecorder) -> None:
    loaded = raw_bpf.load(raw_bpf.REJECTED, name="who")
    one = only(recorder)
    attempt = one.attempt
    assert attempt.log.encode() == loaded.log
    assert (one.outcome, one.message) == (Outcome.REJECTED, "R0 !read_ok")
    assert (attempt.program.function, attempt.program.type) == ("who", "socket_filter")
    assert (attempt.errno, attempt.layer, attempt.log_level) == (errno.EACCES, Layer.VERIFIER, 1)
    assert (attempt.insn_count, attempt.stats.instructions) == (1, 1)
    assert (attempt.origin.pid, attempt.truncated) == (os.getpid(), False)


@pytest.mark.parametrize("attr_size", [raw_bpf.OLD_ATTR, raw_bpf.NEW_ATTR])
def test_a_log_of_several_megabytes_arrives_whole(recorder: FlightRecorder, attr_size: int) -> None:
    code = raw_bpf.counting(2000)
    loaded = raw_bpf.load(code, level=2, log_size=8 << 20, attr_size=attr_size)
    attempt = only(recorder).attempt
    assert len(loaded.log) > 2 << 20
    assert attempt.log.encode() == loaded.log
    assert (attempt.truncated, attempt.log_true_size) == (False, loaded.true_size)


def test_of_a_log_above_the_cap_the_end_is_kept(recorder: FlightRecorder) -> None:
    loaded = raw_bpf.load(raw_bpf.counting(10_000), level=2, log_size=20 << 20)
    one = only(recorder)
    assert len(loaded.log) > CAP
    assert one.attempt.log.encode() == loaded.log[-CAP:]
    assert (one.attempt.truncated, one.message) == (True, "R0 !read_ok")


def test_pages_behind_the_log_may_be_untouched(recorder: FlightRecorder) -> None:
    loaded = raw_bpf.load(raw_bpf.REJECTED, log_size=512 << 20)
    assert only(recorder).attempt.log.encode() == loaded.log


def test_an_accepted_program_with_a_small_buffer_is_no_rejection(recorder: FlightRecorder) -> None:
    code = raw_bpf.counting(100, rejected=False)
    small = raw_bpf.load(code, name="good", level=2, log_size=1024)
    large = raw_bpf.load(code, name="good", level=2, log_size=1 << 20)
    os.close(large.fd)
    raw_bpf.load(raw_bpf.REJECTED, name="marker")
    assert small.errno == errno.ENOSPC
    assert only(recorder).attempt.program.function == "marker"


def test_a_small_buffer_that_nobody_enlarges_leaves_the_verdict_open(
    recorder: FlightRecorder, journal_directory: Path
) -> None:
    raw_bpf.load(raw_bpf.counting(100, rejected=False), level=1, log_size=129)
    watching = Watching(recorder)
    one = only(recorder)
    watching.keep(one)
    assert (one.outcome, one.attempt.layer) == (Outcome.LOG, None)
    assert "not known" in one.message
    assert not journal_directory.exists()


def test_a_rejection_repeated_with_a_larger_buffer_counts_once(recorder: FlightRecorder) -> None:
    code = raw_bpf.counting(100)
    raw_bpf.load(code, level=2, log_size=1024)
    whole = raw_bpf.load(code, level=2, log_size=1 << 20)
    one = only(recorder)
    assert (one.loads, one.attempt.errno, one.attempt.truncated) == (2, errno.EACCES, False)
    assert one.attempt.log.encode() == whole.log


def test_the_same_rejection_again_counts_again(recorder: FlightRecorder) -> None:
    for _ in range(3):
        raw_bpf.load(raw_bpf.REJECTED)
    assert [one.loads for one in watch(recorder, 3)] == [1, 1, 1]


def test_a_loader_without_a_log_buffer_leaves_the_error_number(recorder: FlightRecorder) -> None:
    raw_bpf.load(raw_bpf.REJECTED, level=0)
    one = only(recorder)
    assert (one.attempt.log, one.attempt.log_level) == ("", 0)
    assert one.message == "Permission denied (the loader asked for no log)"


@needs_clang
def test_bpftools_two_loads_count_once(recorder: FlightRecorder, bad_object: Path) -> None:
    run(find("bpftool"), "prog", "load", bad_object, "/sys/fs/bpf/never")
    one = only(recorder)
    attempt = one.attempt
    assert (one.loads, attempt.program.function, attempt.program.type) == (2, "first_byte", "xdp")
    assert (attempt.origin.comm, attempt.origin.argv[1:3]) == ("bpftool", ("prog", "load"))
    assert attempt.instructions_sha256 == loader.load(bad_object).attempt.instructions_sha256
    assert "invalid access to packet" in one.message


@needs_clang
def test_a_libbpf_programs_rejection_counts_once(
    recorder: FlightRecorder, bad_object: Path
) -> None:
    run(sys.executable, "-c", LIBBPF_CHILD, bad_object)
    one = only(recorder)
    assert (one.loads, one.attempt.program.function) == (2, "first_byte")


def test_a_bcc_programs_rejection_counts_once(recorder: FlightRecorder) -> None:
    run(sys.executable, "-c", BCC_CHILD)
    one = only(recorder)
    assert (one.loads, one.attempt.program.function) == (2, "first_byte")
    assert "invalid access to packet" in one.message


def test_a_process_without_privilege_is_kept_apart(
    recorder: FlightRecorder, journal_directory: Path
) -> None:
    run(
        sys.executable,
        "-c",
        "import os; from tests.kernel import raw_bpf; os.setresuid(65534, 65534, 65534);"
        "raw_bpf.load(raw_bpf.REJECTED)",
    )
    watching = Watching(recorder)
    one = only(recorder)
    watching.keep(one)
    assert (one.outcome, one.uid, one.attempt.layer) == (Outcome.PERMISSION, 65534, None)
    assert not journal_directory.exists()


def test_a_thousand_rejections_are_seen_or_counted_as_lost(recorder: FlightRecorder) -> None:
    before = recorder.counts.lost
    for turn in range(1000):
        raw_bpf.load(raw_bpf.REJECTED, name=f"raw{turn}")
    seen = watch(recorder, 1000)
    lost = recorder.counts.lost - before
    assert len(seen) + lost == 1000
    assert len({one.attempt.program.function for one in seen}) == len(seen)


def test_more_than_the_ring_holds_is_counted(recorder: FlightRecorder) -> None:
    before = recorder.counts
    buffer = mmap.mmap(-1, 1 << 20)
    for _ in range(2000):  # nobody reads meanwhile
        raw_bpf.load(raw_bpf.counting(20), level=2, buffer=buffer)
    seen = recorder.rest()
    lost = recorder.counts.lost - before.lost
    assert recorder.counts.failed - before.failed == 2000
    assert len(seen) + lost == 2000
    assert lost > 0
    assert any(one.attempt.truncated for one in seen)


def test_the_cure_of_a_rejection_is_recorded(recorder: FlightRecorder) -> None:
    raw_bpf.load(raw_bpf.REJECTED, name="sick")
    assert only(recorder).outcome is Outcome.REJECTED
    os.close(raw_bpf.load(raw_bpf.ACCEPTED, name="healthy").fd)
    os.close(raw_bpf.load(raw_bpf.ACCEPTED, name="sick").fd)
    one = only(recorder)
    assert (one.outcome, one.attempt.program.function) == (Outcome.ACCEPTED, "sick")
    assert one.attempt.accepted


def test_a_cure_loaded_without_a_log_has_its_cost(recorder: FlightRecorder) -> None:
    raw_bpf.load(raw_bpf.counting(100), name="dear")
    only(recorder)
    code = raw_bpf.counting(100, rejected=False)
    os.close(raw_bpf.load(code, name="dear", level=0).fd)
    one = only(recorder)
    assert (one.outcome, one.attempt.log) == (Outcome.ACCEPTED, "")
    where = offsets()
    counts = where is not None and where.way is not None  # the kernel does, from 5.16 on
    assert one.attempt.stats.instructions == (2 * 100 + 3 if counts else None)


def test_the_recorder_does_not_see_itself(recorder: FlightRecorder) -> None:
    before = recorder.counts.failed
    with FlightRecorder(tree=True) as another:
        assert another.counts.failed == 0
        assert another.rest() == []
    assert recorder.counts.failed == before


@needs_clang
def test_what_our_own_loader_wrote_is_not_written_again(
    recorder: FlightRecorder, bad_object: Path, journal_directory: Path
) -> None:
    watching = Watching(recorder)
    loader.load(bad_object, expected=True)
    watching.keep(only(recorder))
    assert watching.seen[Outcome.REJECTED] == 1
    [attempt] = journal.read(journal_directory)
    assert attempt.toolchain.loader == "lab"


def test_a_rejection_goes_to_the_journal_with_who_loaded(
    recorder: FlightRecorder, journal_directory: Path
) -> None:
    watching = Watching(recorder)
    run(sys.executable, ROOT / "tests/kernel/raw_bpf.py", "1")
    watching.keep(only(recorder))
    [attempt] = journal.read(journal_directory)
    assert attempt.origin.argv[-1] == "1"
    assert attempt.origin.test == os.environ["PYTEST_CURRENT_TEST"].rsplit(" (", 1)[0]
    assert attempt.program.function == "raw0"
    assert "R0 !read_ok" in attempt.log
