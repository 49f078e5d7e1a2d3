from __future__ import annotations

import errno
import time
from dataclasses import replace
from datetime import datetime

import pytest

from tests.recorder import LOG, load
from verifier_diary.model import Layer
from verifier_diary.processes import Process
from verifier_diary.reassembly import Load
from verifier_diary.recorded import Outcome, Recorded, recorded
from verifier_diary.retries import Sighting


def judged(*loads: Load) -> Recorded:
    return recorded(Sighting(list(loads)))


def test_a_rejection_says_who_loaded_what_and_why_not() -> None:
    process = Process(("bpftool", "prog"), "t.py::test_it")
    one = judged(load(log_level=0), load(1, process=process, log_true_size=88))
    attempt = one.attempt
    assert (one.outcome, one.loads, one.message) == (Outcome.REJECTED, 2, "R0 !read_ok")
    assert (attempt.layer, attempt.errno, one.error) == (Layer.VERIFIER, 13, "EACCES")
    assert (attempt.program.function, attempt.program.type) == ("prog", "xdp")
    assert (attempt.origin.argv, attempt.origin.test) == (process.argv, process.test)
    assert (attempt.origin.pid, attempt.toolchain.loader) == (100, "bpftool")
    assert (attempt.log, attempt.log_true_size) == (LOG, 88)
    assert (attempt.instructions_sha256, attempt.stats.instructions) == ("c" * 64, 1)


def test_the_time_is_the_wall_clocks() -> None:
    now = replace(load(), time_ns=time.monotonic_ns())
    said = datetime.fromisoformat(judged(now).attempt.time).timestamp()
    assert abs(said - time.time()) < 5


@pytest.mark.parametrize(("level", "message"), [(0, "asked for no log"), (1, "wrote no log")])
def test_without_a_log_the_error_number_speaks(level: int, message: str) -> None:
    one = judged(load(log="", log_level=level, errno=errno.EINVAL))
    assert one.message == (f"Invalid argument (the {'kernel' if level else 'loader'} {message})")


@pytest.mark.parametrize(
    ("number", "layer"),
    [
        (errno.EACCES, Layer.VERIFIER),
        (errno.E2BIG, Layer.LIMIT),
        (errno.EINVAL, Layer.KERNEL),
    ],
)
def test_the_layer_without_a_log_comes_from_the_number(number: int, layer: Layer) -> None:
    assert judged(load(log_level=0, errno=number)).attempt.layer is layer


def test_permission_denied_without_a_log_is_kept_apart() -> None:
    one = judged(load(log_level=0, errno=errno.EPERM, may_load=False))
    assert (one.outcome, one.attempt.layer) == (Outcome.PERMISSION, None)
    assert one.message == "the process may not load programs"


def test_permission_denied_to_who_may_load_is_a_refusal_by_the_kernel() -> None:
    one = judged(load(log_level=0, errno=errno.EPERM, may_load=True))
    assert (one.outcome, one.attempt.layer) == (Outcome.REJECTED, Layer.KERNEL)


@pytest.mark.parametrize(("uid", "outcome"), [(0, Outcome.REJECTED), (1000, Outcome.PERMISSION)])
def test_of_a_process_that_is_gone_the_user_tells(uid: int, outcome: Outcome) -> None:
    assert judged(load(log_level=0, errno=errno.EPERM, uid=uid)).outcome is outcome


def test_a_full_buffer_without_a_message_leaves_the_verdict_open() -> None:
    log = "1: (95) exit\nprocessed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
    one = judged(load(errno=errno.ENOSPC, log=log))
    assert (one.outcome, one.attempt.layer) == (Outcome.LOG, None)
    assert one.message == "the log did not fit its buffer: accepted or not is not known"


def test_a_full_buffer_that_holds_the_message_is_a_rejection() -> None:
    one = judged(load(errno=errno.ENOSPC))
    assert (one.outcome, one.message) == (Outcome.REJECTED, "R0 !read_ok")
    assert one.attempt.truncated


def test_the_verdict_asked_for_without_a_log_goes_with_the_cut_one() -> None:
    one = judged(load(errno=errno.ENOSPC), load(1, log_level=0))
    assert (one.outcome, one.attempt.errno, one.attempt.truncated) == (Outcome.REJECTED, 13, True)


def test_an_accepted_load_is_accepted() -> None:
    one = judged(load(errno=errno.ENOSPC), load(1, errno=0, log=""))
    assert one.outcome is Outcome.ACCEPTED
    assert (one.attempt.accepted, one.attempt.errno, one.error) == (True, None, None)


def test_an_accepted_load_without_a_log_has_the_kernels_count() -> None:
    one = judged(load(errno=0, log="", verified=42))
    assert one.attempt.stats.instructions == 42


def test_the_logs_own_count_is_believed() -> None:
    one = judged(load(errno=0, verified=42))
    assert one.attempt.stats.instructions == 1


def test_a_record_for_programs_has_the_log_without_addresses() -> None:
    one = judged(load(log="0: (18) r1 = 0xffff8881048d0200\nR0 !read_ok\n"))
    record = one.to_json()
    assert record["log"] == "0: (18) r1 = <address>\nR0 !read_ok\n"
    assert (record["outcome"], record["error"], record["attempt"]) == (
        "rejected",
        "EACCES",
        one.attempt.id,
    )
