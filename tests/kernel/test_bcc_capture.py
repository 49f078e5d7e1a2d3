from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.kernel.conftest import FORCE, needs_root
from verifier_diary import bcc_capture, journal, recorder_setup
from verifier_diary.model import Attempt, Layer
from verifier_diary.recorder_setup import RecorderUnavailable

pytestmark = [needs_root, pytest.mark.xdist_group("bcc")]

ROOT = Path(__file__).parent.parent.parent
GOOD = b"int answer(struct xdp_md *ctx)\n{\n\treturn XDP_PASS;\n}\n"
BAD = b"int first_byte(struct xdp_md *ctx)\n{\n\treturn *(char *)(long)ctx->data;\n}\n"
BROKEN = b"int broken(struct xdp_md *ctx)\n{\n\treturn nothing;\n}\n"
LONG = b"""
BPF_ARRAY(numbers, u64, 64);
int sum(struct xdp_md *ctx)
{
	u64 total = 0;
	for (int i = 0; i < 1500; i++) {
		int key = i & 63;
		u64 *value = numbers.lookup(&key);
		if (value)
			total += *value;
	}
	return *(char *)(total + (long)ctx->data);
}
"""
ENDLESS = b"""
int endless(struct xdp_md *ctx)
{
	u64 total = 0;
#pragma nounroll
	for (u64 i = 0; i < 10000000; i++) {
		total += i;
		asm volatile("" : "+r"(total));
	}
	return total;
}
"""
DEBUG_BPF = 2


@pytest.fixture(scope="module")
def bcc() -> ModuleType:
    try:
        recorder_setup.check_headers()
        module: ModuleType = recorder_setup.import_bcc()
    except RecorderUnavailable as problem:
        reason = f"{problem}; {problem.try_}"
        if os.environ.get(FORCE) == "local":
            pytest.fail(f"{reason} ({FORCE}=local forbids skipping)", pytrace=False)
        pytest.skip(reason)
    return module


@pytest.fixture(autouse=True)
def _journal(journal_directory: Path) -> None:
    pass


@pytest.fixture
def load(bcc: ModuleType) -> Iterator[Callable[..., str | None]]:
    """Load a text's programs as XDP; returns what BCC raised."""
    opened = []

    def loaded(text: bytes, **options: object) -> str | None:
        try:
            opened.append(bcc.BPF(text=text, **options))
            opened[-1].load_funcs(bcc.BPF.XDP)
        except Exception as error:  # BCC raises nothing more specific
            return str(error)
        return None

    yield loaded
    for bpf in opened:
        bpf.cleanup()


def only(attempts: list[Attempt]) -> Attempt:
    [attempt] = attempts
    return attempt


def comparable(stderr: str) -> str:
    return re.sub(r"0xffff[0-9a-f]+", "<address>", stderr)


def test_a_rejected_program_is_kept_with_the_log_that_bcc_prints(load, capfd) -> None:
    with bcc_capture.captured() as attempts:
        load(BAD)
    attempt = only(attempts)
    assert "invalid access to packet" in attempt.log
    assert attempt.log in capfd.readouterr().err
    assert (attempt.accepted, attempt.layer, attempt.errno) == (False, Layer.VERIFIER, 13)
    assert (attempt.program.function, attempt.program.type) == ("first_byte", "xdp")
    assert (attempt.toolchain.loader, attempt.origin.pid) == ("bcc", os.getpid())


@pytest.mark.parametrize("debug", [0, DEBUG_BPF])
@pytest.mark.parametrize("text", [GOOD, BAD, BROKEN, LONG], ids=["good", "bad", "broken", "long"])
def test_the_program_behaves_as_before(load, capfd, text: bytes, debug: int) -> None:
    raised = load(text, debug=debug)
    said = capfd.readouterr().err
    with bcc_capture.captured() as attempts:
        assert load(text, debug=debug) == raised
    assert comparable(capfd.readouterr().err) == comparable(said)
    assert only(attempts).accepted is (raised is None)


def test_with_debugging_on_the_log_is_the_kernels_alone(load) -> None:
    with bcc_capture.captured() as attempts:
        load(BAD, debug=DEBUG_BPF)
    log = only(attempts).log
    assert log.startswith("0: ")
    assert log.splitlines()[-1].startswith("processed ")


def test_an_accepted_program_is_kept_with_what_the_kernel_knows_of_it(load) -> None:
    with bcc_capture.captured() as attempts:
        assert load(GOOD) is None
    attempt = only(attempts)
    assert (attempt.accepted, attempt.layer, attempt.errno) == (True, None, None)
    assert (attempt.stats.instructions, attempt.insn_count) == (2, 2)
    assert re.fullmatch("[0-9a-f]{16}", attempt.tag or "")


def test_the_source_text_is_kept(load) -> None:
    with bcc_capture.captured() as attempts:
        load(BAD)
    [source] = only(attempts).sources
    assert (source.path, source.text) == ("main.c", BAD.decode())
    assert only(attempts).program.object is None


def test_a_source_file_gives_path_and_object(bcc: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "answer.c"
    path.write_bytes(GOOD)
    with bcc_capture.captured() as attempts:
        bpf = bcc.BPF(src_file=str(path).encode())
        bpf.load_func(b"answer", bcc.BPF.XDP)
    bpf.cleanup()
    attempt = only(attempts)
    assert (attempt.program.object, attempt.sources[0].path) == ("answer", str(path))


def test_what_clang_refuses_is_kept_with_its_words(load, capfd) -> None:
    with bcc_capture.captured() as attempts:
        assert load(BROKEN) == "Failed to compile BPF module <text>"
    attempt = only(attempts)
    assert attempt.layer is Layer.COMPILER
    assert "use of undeclared identifier 'nothing'" in attempt.messages
    assert attempt.messages in capfd.readouterr().err


def test_a_long_log_is_whole(load) -> None:
    with bcc_capture.captured(quiet=True) as attempts:
        load(LONG)
    log = only(attempts).log
    assert len(log) > 1 << 20
    assert log.startswith("0: ")
    assert log.splitlines()[-1].startswith("processed ")


def test_a_program_too_large_for_the_verifier_has_a_log_too(load, capfd) -> None:
    with bcc_capture.captured() as attempts:
        load(ENDLESS)
    attempt = only(attempts)
    assert (attempt.layer, attempt.stats.instructions) == (Layer.LIMIT, 1_000_001)
    assert "too large" in capfd.readouterr().err.splitlines()[0]


def test_quiet_keeps_stderr_free(load, capfd) -> None:
    with bcc_capture.captured(quiet=True) as attempts:
        load(BAD)
        load(BROKEN)
    assert len(attempts) == 2
    assert capfd.readouterr().err == ""


def test_what_is_paused_is_not_kept(load) -> None:
    with bcc_capture.captured() as attempts, bcc_capture.paused():
        load(GOOD)
    assert attempts == []


def test_after_the_block_nothing_is_kept(load) -> None:
    with bcc_capture.captured() as attempts:
        pass
    load(GOOD)
    assert attempts == []


def test_attempts_are_told_at_once_and_go_to_the_journal(load, journal_directory: Path) -> None:
    told: list[Attempt] = []
    with bcc_capture.captured(told.append):
        load(BAD)
    [written] = journal.read(journal_directory)
    assert written.id == only(told).id
    assert written.origin.test == os.environ["PYTEST_CURRENT_TEST"].rsplit(" (", 1)[0]


def test_installed_before_bcc_is_imported_it_captures(
    bcc: ModuleType, journal_directory: Path
) -> None:
    program = (
        "from verifier_diary import bcc_capture, kernel_headers\n"
        "kernel_headers.export(); bcc_capture.install(); bcc_capture.install()\n"
        "from bcc import BPF\n"
        f"BPF(text={GOOD!r}).load_func(b'answer', BPF.XDP)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    [attempt] = journal.read(journal_directory)
    assert (attempt.program.function, attempt.accepted) == ("answer", True)
