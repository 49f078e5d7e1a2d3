"""The matrix on the running kernel, and in a guest where qemu and a kernel are there already."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lab.matrix import accelerator, base, programs, results, run, stored_tests
from lab.matrix.kernel_list import KernelEntry
from lab.matrix.outcome import KernelOutcome
from lab.matrix.packages import newest
from lab.matrix.programs import Listed
from lab.matrix.qemu import Accelerator, Boot
from lab.matrix.qemu import run as boot_and_wait
from lab.matrix.run import Work
from lab.matrix.stored_tests import StoredTest
from lab.toolchain import cache_directory
from simulator.layout import SRC
from tests.kernel.conftest import needs_clang, needs_root
from verifier_diary import journal

pytestmark = [needs_root, needs_clang]
HERE = KernelEntry("running", running=True)
PACKAGE = r"linux-image-.*-cloud-amd64"


@pytest.fixture(scope="module")
def few() -> tuple[Listed, ...]:
    wanted = {"hello", "glimpse_src", "loop_bad", "loop_good"}
    return tuple(program for program in programs.listed() if program.name in wanted)


def ask(few: tuple[Listed, ...], tests: Sequence[StoredTest], cache: Path) -> KernelOutcome:
    with run.filled(few, tests) as folder:
        work = Work(few, tests, folder, cache, tell=lambda text: None)
        (outcome,) = run.run([HERE], work, jobs=1)
    return outcome


@cache
def named(name: str) -> tuple[StoredTest, ...]:
    return tuple(test for test in made() if test.name == name)


@cache
def made() -> list[StoredTest]:
    return stored_tests.stored_tests()


def test_the_running_kernel_is_asked_as_a_guest_is(
    few: tuple[Listed, ...], tmp_path: Path, journal_directory: Path
) -> None:
    outcome = ask(few, [], tmp_path)
    assert outcome.problem is None
    found = {cell.program: cell for cell in outcome.cells}
    assert {name: str(cell.verdict) for name, cell in found.items()} == {
        "glimpse_src": "accepted",
        "hello": "accepted",
        "loop_bad": "rejected",
        "loop_good": "accepted",
    }
    assert found["loop_bad"].class_id == "loop"
    assert found["glimpse_src"].instructions
    written = {attempt.id: attempt for attempt in journal.read(journal_directory)}
    assert set(written) == {cell.attempt for cell in outcome.cells}
    assert all(attempt.sources for attempt in written.values())


@pytest.mark.parametrize("name", ["parse_src", "twin_src_jhash", "attach", "jumbo", "trip"])
def test_the_tests_of_the_matrix_pass_here(
    few: tuple[Listed, ...], tmp_path: Path, name: str
) -> None:
    (row,) = ask(few, named(name), tmp_path).tests
    assert (row.verdict, row.message) == ("passed", None)
    assert row.packets
    assert row.bytes


@pytest.mark.parametrize("array", ["tfms_0", "control_1", "exact_records_2", "exact_keys_0"])
def test_a_twin_test_notices_a_single_byte(
    few: tuple[Listed, ...], tmp_path: Path, array: str
) -> None:
    (test,) = named("twin_src_jhash")
    wrong = test.arrays["whole"][array].copy()
    wrong.reshape(-1).view(np.uint8)[wrong.nbytes // 2] ^= 1
    arrays = {frames: {**held, array: wrong} for frames, held in test.arrays.items()}
    (row,) = ask(few, [replace(test, arrays=arrays)], tmp_path).tests
    assert row.verdict == "failed"
    assert (row.message or "").startswith(f"1 differences: epoch {array[-1]}: {array[:-2]}")


@pytest.mark.parametrize("array", ["outcomes", "keys"])
def test_a_parse_test_notices_a_single_frame(
    few: tuple[Listed, ...], tmp_path: Path, array: str
) -> None:
    (test,) = named("parse_src")
    which = int(np.flatnonzero(test.arrays["short"]["outcomes"] == 0)[0])
    arrays = {frames: dict(held) for frames, held in test.arrays.items()}
    for held in arrays.values():
        held[array] = held[array].copy()
        held[array][which] ^= 1
    (row,) = ask(few, [replace(test, arrays=arrays)], tmp_path).tests
    assert row.verdict == "failed"
    assert (row.message or "").startswith("1 differences: frame ")


def test_a_wire_test_notices_packets_that_are_not_counted(
    few: tuple[Listed, ...], tmp_path: Path
) -> None:
    (test,) = named("attach")
    small = replace(test.settings, exact_entries=39)  # one less than the test has keys
    (row,) = ask(few, [replace(test, settings=small)], tmp_path).tests
    assert row.verdict == "failed"
    assert SRC is small.geometry.key


@pytest.fixture
def kernel() -> Path:
    """Return a kernel image that `lab matrix` has fetched, and nothing is fetched for a test."""
    for tool in ("qemu-system-x86_64", "busybox", "cpio"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing; `make matrix` installs it")
    kernels = cache_directory() / "kernels"
    name = newest(PACKAGE, [path.parent.name for path in kernels.glob("*/kernel.json")])
    if name is None:
        pytest.skip("no kernel was fetched yet; `make matrix` does")
    return kernels / name / "vmlinuz"


def test_a_guest_without_a_plan_answers_and_goes_off(kernel: Path, tmp_path: Path) -> None:
    boot = Boot(
        kernel,
        base.base(cache_directory()),
        tmp_path / "console.log",
        tmp_path / "results.log",
        Accelerator.TCG,
        120.0,
        120.0,
    )
    ended = boot_and_wait(boot)
    assert (ended.timed_out, ended.problem) == (False, None)
    found = results.read(boot.results)
    assert found.started
    assert found.exit_code == 0


def test_a_guest_that_panics_is_reported_with_the_kernels_words(
    kernel: Path, tmp_path: Path
) -> None:
    from lab.matrix import archive, console
    from lab.matrix.verdict import Evidence, problem

    empty = tmp_path / "empty.cpio"
    archive.write({"/nothing": b""}, empty)
    boot = Boot(
        kernel,
        empty,
        tmp_path / "console.log",
        tmp_path / "results.log",
        Accelerator.TCG,
        120.0,
        120.0,
    )
    boot_and_wait(boot)
    alarms = console.alarms(boot.console.read_text("utf-8", "replace"))
    wrong = problem(Evidence(results.read(boot.results), 1.0, 120.0, 120.0, alarms))
    assert wrong is not None
    assert wrong.text.startswith("the kernel crashed before the guest answered: Kernel panic")


def test_the_accelerator_is_found_on_this_machine(kernel: Path) -> None:
    found = accelerator.accelerator(
        kernel, base.base(cache_directory()), cache_directory(), lambda text: None
    )
    assert found in Accelerator
