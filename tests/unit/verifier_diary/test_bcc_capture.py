"""With a made-up bcc; tests/kernel/test_bcc_capture.py has the real one."""

from __future__ import annotations

import ctypes
import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from verifier_diary import bcc_capture, journal

FAKE = '''
import ctypes

class Lib:
    answers = []  # (descriptor, errno, log)
    calls = []

    def bpf_module_create_c_from_string(self, text, debug, flags, *rest):
        return 4711

    def bcc_func_load(self, *arguments):
        self.calls.append(arguments)
        descriptor, number, log = self.answers.pop(0)
        if arguments[8] is not None and log:
            ctypes.memmove(ctypes.cast(arguments[8], ctypes.c_void_p).value, log, len(log))
        ctypes.set_errno(number)
        return descriptor

    def bpf_obj_get_info(self, *_):
        return -1

lib = Lib()

class BPF:
    def __init__(self, src_file=b"", text=b""):
        """Compile."""
        self.module = lib.bpf_module_create_c_from_string(text, 0, [b"-DX=1"])

    def load(self, level=0, buffer=None):
        code = ctypes.create_string_buffer(bytes(8), 8)
        return lib.bcc_func_load(
            self.module, 6, b"prog", ctypes.addressof(code), 8, b"GPL", 0, level, buffer, 0, None, 0
        )
'''
LOG = b"0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000) "


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "bcc.py").write_text(FAKE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))
    before = sys.modules.pop("bcc", None)
    yield
    sys.modules.pop("bcc", None)
    if before:
        sys.modules["bcc"] = before


@pytest.fixture
def bcc(importable: None) -> ModuleType:
    import bcc

    module: ModuleType = bcc
    return module


@pytest.mark.usefixtures("importable")
def test_bcc_may_be_imported_later() -> None:
    with bcc_capture.captured() as attempts:
        import bcc

        bcc.lib.answers = [(-1, errno.EACCES, LOG)]
        assert bcc.BPF(text=b"int prog;").load() == -1
    [attempt] = attempts
    assert (attempt.log, attempt.log_level) == (LOG.decode(), 1)
    assert (attempt.sources[0].text, attempt.toolchain.flags) == ("int prog;", ("-DX=1",))


@pytest.mark.usefixtures("importable")
def test_nothing_waits_for_bcc_after_the_block() -> None:
    before = list(sys.meta_path)
    with bcc_capture.captured():
        assert len(sys.meta_path) == len(before) + 1
    assert sys.meta_path == before


def test_the_error_number_is_left_as_it_was(bcc: ModuleType) -> None:
    with bcc_capture.captured():
        bcc.lib.answers = [(-1, errno.EINVAL, LOG)]
        bcc.BPF(text=b"").load()
        assert ctypes.get_errno() == errno.EINVAL


def test_who_brings_a_log_buffer_keeps_it(bcc: ModuleType) -> None:
    buffer = ctypes.create_string_buffer(100)
    with bcc_capture.captured() as attempts:
        bcc.lib.answers = [(-1, errno.EACCES, LOG)]
        bcc.BPF(text=b"").load(1, buffer)
    assert [attempt.log for attempt in attempts] == [LOG.decode()]
    assert buffer.value == LOG
    assert bcc.lib.calls[-1][8] is buffer


def test_without_a_capture_the_arguments_are_bccs(bcc: ModuleType) -> None:
    with bcc_capture.captured():
        pass
    bcc.lib.answers = [(5, 0, b"")]
    assert bcc.BPF(text=b"").load() == 5
    assert bcc.lib.calls[-1][8] is None


def test_a_missing_privilege_says_nothing_about_the_program(
    bcc: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bcc_capture, "may_load", lambda _: False)
    with bcc_capture.captured() as attempts:
        bcc.lib.answers = [(-1, errno.EPERM, b"")]
        bcc.BPF(text=b"").load()
    assert attempts == []
    assert not journal.directory().exists()


def test_permission_denied_to_who_may_load_is_kept(
    bcc: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bcc_capture, "may_load", lambda _: True)
    with bcc_capture.captured() as attempts:
        bcc.lib.answers = [(-1, errno.EPERM, b"")]
        bcc.BPF(text=b"").load()
    assert [attempt.errno for attempt in attempts] == [errno.EPERM]


def test_a_limit_is_asked_for_its_log(bcc: ModuleType) -> None:
    with bcc_capture.captured() as attempts:
        bcc.lib.answers = [(-1, errno.E2BIG, b""), (-1, errno.E2BIG, LOG)]
        assert bcc.BPF(text=b"").load() == -1
    assert attempts[0].log == LOG.decode()
    assert bcc.lib.calls[-1][7] == 1


def test_two_captures_hear_the_same_load_which_is_written_once(bcc: ModuleType) -> None:
    with bcc_capture.captured() as outer, bcc_capture.captured() as inner:
        bcc.lib.answers = [(-1, errno.EACCES, LOG)]
        bcc.BPF(text=b"").load()
    assert outer == inner
    assert len(list(journal.read(journal.directory()))) == 1


def test_installing_twice_is_installing_once(bcc: ModuleType) -> None:
    bcc_capture.install()
    bcc_capture.install()
    try:
        bcc.lib.answers = [(-1, errno.EACCES, LOG)]
        bcc.BPF(text=b"").load()
    finally:
        bcc_capture.uninstall()
    assert len(list(journal.read(journal.directory()))) == 1
    assert not bcc_capture._captures


@pytest.mark.usefixtures("importable")
def test_another_module_named_bcc_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bcc.py").write_text("lib = object()")
    with bcc_capture.captured():
        import bcc

        assert not hasattr(bcc.lib, "glimpse_wrapped")


@pytest.mark.usefixtures("importable")
def test_a_missing_bcc_stays_an_import_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with bcc_capture.captured(), pytest.raises(ModuleNotFoundError, match="bcc"):
        import bcc  # noqa: F401
